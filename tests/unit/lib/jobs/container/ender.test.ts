import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ContainerPman } from '../../../../helpers/containerPman.ts';
import { eventually } from '../../../../helpers/eventually.ts';
import {
  MEMORY_IMAGE,
  MemoryEngine,
  MemoryWorld,
  readMemoryShown,
} from '../../../../helpers/memoryEngine.ts';

let world: MemoryWorld;
let pman: ContainerPman;
beforeEach(() => {
  world = new MemoryWorld();
  pman = new ContainerPman(async () => new MemoryEngine(world), readMemoryShown, MEMORY_IMAGE);
});
afterEach(async () => {
  await pman.close();
  await world.close();
});

const kill = (root: string, graceMs = 600_000, signal: NodeJS.Signals = 'SIGTERM') =>
  pman.jobs.kill(root, { signal, graceMs, cause: 'ended by the test' });
const STUBBORN = `sh -c "trap '' TERM; echo up; while true; do sleep 0.05; done"`;

describe('the end of a container job that is ordered', () => {
  it('comes by removal when no signal reaches it, and keeps what it has written', async () => {
    world.isOutOfReach = true;
    const root = await pman.submit('sh -c "echo up; sleep 600"');
    await pman.written(root, 'up');
    expect(await kill(root)).toBe(true);
    expect(pman.jobs.isActive(root)).toBe(false);
    expect(await pman.see(root)).toMatchObject({
      ...{ status: 'finishedWithError', output: 'up\n', cause: 'ended by the test' },
    });
    await eventually(() => world.works.size === 0);
  });

  it('comes by removal when it waits at the engine', async () => {
    world.gate = new Promise(() => undefined);
    const root = await pman.submit('true');
    await eventually(() => world.works.size === 1);
    await kill(root);
    expect(await pman.end(root)).toMatchObject({ status: 'finishedWithError' });
    await eventually(() => world.works.size === 0);
  });

  it('can be ordered twice: the second signal ends what ignores the first', async () => {
    const root = await pman.submit(STUBBORN);
    await pman.written(root, 'up');
    await kill(root);
    expect(pman.jobs.isActive(root)).toBe(true);
    await kill(root, 0, 'SIGKILL');
    expect(await pman.end(root)).toMatchObject({ cause: 'ended by the test' });
  });

  it('is kept when it is ordered twice at once and the first order cannot be sent', async () => {
    const root = await pman.submit(STUBBORN);
    await pman.written(root, 'up');
    let speak: () => void = () => undefined;
    world.silence = new Promise((resolve) => {
      speak = resolve;
    });
    world.isAway = true;
    const first = kill(root).catch((error: unknown) => {
      world.isAway = false;
      return error;
    });
    const second = kill(root, 100);
    world.silence = undefined;
    speak();
    expect(await first).toMatchObject({ code: 'unavailable' });
    expect(await second).toBe(true);
    await pman.restart();
    expect(await pman.end(root)).toMatchObject({ cause: 'ended by the test' });
  });

  it('is not forgotten when the engine goes away behind the order', async () => {
    const root = await pman.submit(STUBBORN);
    await pman.written(root, 'up');
    await kill(root, 100);
    world.isAway = true;
    await pman.restart();
    world.isAway = false;
    expect(await pman.end(root)).toMatchObject({ cause: 'ended by the test' });
  });

  it('that has come by itself meanwhile is not blamed on the order when all was well', async () => {
    const root = await pman.submit(
      `sh -c "trap 'exit 0' TERM; echo up; while true; do sleep 0.05; done"`,
    );
    await pman.written(root, 'up');
    await kill(root);
    expect(await pman.end(root)).toMatchObject({ status: 'finishedSuccessfully', cause: '' });
  });
});

describe('a time limit', () => {
  it('that is over while the engine is away ends the job when it is back', async () => {
    const root = await pman.submit('sh -c "echo up; sleep 600"', { limits: { timeout: 0.5 } });
    await pman.written(root, 'up');
    world.isAway = true;
    world.calls.length = 0;
    await eventually(() => world.calls.includes('end'));
    expect(pman.jobs.isActive(root)).toBe(true);
    world.isAway = false;
    expect(await pman.end(root)).toMatchObject({ cause: 'time limit 0.5 s' });
  });

  it('has cut a job off that ends well on the signal', async () => {
    const root = await pman.submit(
      `sh -c "trap 'exit 0' TERM; echo up; while true; do sleep 0.05; done"`,
      { limits: { timeout: 2 } },
    );
    expect(await pman.end(root)).toMatchObject({
      ...{ status: 'finishedWithError', cause: 'time limit 2 s' },
    });
  });

  it('that is over when the job has long ended well, unseen, is not blamed for its end', async () => {
    const root = await pman.submit('sh -c "echo up; sleep 1"', { limits: { timeout: 5 } });
    await pman.written(root, 'up');
    world.isAway = true;
    world.calls.length = 0;
    await eventually(() => world.calls.includes('end'));
    world.isAway = false;
    expect(await pman.end(root)).toMatchObject({ status: 'finishedSuccessfully', cause: '' });
  });

  it('goes on over a restart of pman', async () => {
    const root = await pman.submit('sh -c "echo up; sleep 600"', { limits: { timeout: 1 } });
    await pman.written(root, 'up');
    await pman.restart();
    expect(await pman.end(root)).toMatchObject({ cause: 'time limit 1 s' });
  });

  it('that is not reached ends nothing', async () => {
    const root = await pman.submit('true', { limits: { timeout: 600 } });
    expect(await pman.end(root)).toMatchObject({ status: 'finishedSuccessfully', cause: '' });
  });
});
