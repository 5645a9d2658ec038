import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PmanError } from '../../../../../lib/errors.ts';
import { engineReadiness } from '../../../../../lib/jobs/container/engineReadiness.ts';
import { MemoryEngine, MemoryWorld } from '../../../../helpers/memoryEngine.ts';

describe('whether an engine is there', () => {
  let world: MemoryWorld;
  const open = async () => new MemoryEngine(world);
  beforeEach(() => {
    world = new MemoryWorld();
  });
  afterEach(async () => {
    jest.useRealTimers();
    await world.close();
  });

  it('is told by the engine itself', async () => {
    expect(await engineReadiness(open)).toEqual({ state: 'ready' });
    world.isAway = true;
    expect(await engineReadiness(open)).toEqual({
      ...{ state: 'failing', problem: 'no answer from memory' },
    });
    world.isAway = false;
    expect(await engineReadiness(open)).toEqual({ state: 'ready' });
  });

  it('is not waited for where the engine says nothing', async () => {
    jest.useFakeTimers();
    world.silence = new Promise(() => {});
    const asked = engineReadiness(open);
    await jest.advanceTimersByTimeAsync(5000);
    expect(await asked).toMatchObject({
      ...{ state: 'failing', problem: 'the container engine has not answered for 5000 ms' },
    });
  });

  it('tells an engine that nobody has installed from one that does not answer', async () => {
    const failing = (code: string) => () =>
      Promise.reject(
        new PmanError('unavailable', `no engine: ${code}`, {
          ...{ hint: 'start it', cause: Object.assign(new Error(code), { code }) },
        }),
      );
    expect(await engineReadiness(failing('ENOENT'))).toEqual({
      ...{ state: 'absent', problem: 'no engine: ENOENT', hint: 'start it' },
    });
    expect(await engineReadiness(failing('ECONNREFUSED'))).toMatchObject({ state: 'failing' });
  });
});
