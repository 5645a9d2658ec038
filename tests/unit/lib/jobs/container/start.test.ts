import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PmanError } from '../../../../../lib/errors.ts';
import type { WorkRequest } from '../../../../../lib/jobs/container/engine.ts';
import { startWork } from '../../../../../lib/jobs/container/start.ts';
import { silentLogger } from '../../../../../lib/log.ts';
import { eventually } from '../../../../helpers/eventually.ts';
import { MEMORY_IMAGE, MemoryEngine, MemoryWorld } from '../../../../helpers/memoryEngine.ts';

const requestOf = (job: string, cmd = 'sleep 600', instance = 'p'): WorkRequest => ({
  ...{ name: 'n', image: MEMORY_IMAGE, cmd, options: {} },
  owner: { job, instance, jid: '', auid: '' },
});

let world: MemoryWorld;
beforeEach(() => {
  world = new MemoryWorld();
});
afterEach(() => world.close());

function start(
  request: WorkRequest,
  {
    mayExist = false,
    cancelled = new AbortController().signal,
    isOver = (): boolean => false,
  } = {},
) {
  const engine = async () => new MemoryEngine(world);
  const onWait = () => undefined;
  const input = () => undefined;
  const log = silentLogger();
  return startWork({ engine, request, input, mayExist, cancelled, isOver, onWait, log });
}
const isLive = () => new MemoryEngine(world).owner('n').then((owner) => owner?.isLive());

describe('startWork', () => {
  it('tries until the engine is there: the job has been accepted', async () => {
    world.isAway = true;
    const started = start(requestOf('a'));
    await eventually(() => world.calls.length >= 2);
    world.isAway = false;
    expect(await started).toMatchObject({ handle: { by: 'memory' } });
    expect(world.starts.get('a')).toBe(1);
  });

  it('makes nothing twice when the answer to its call was lost', async () => {
    world.dropsAnswers = true;
    const started = start(requestOf('a'));
    await eventually(() => world.works.has('n'));
    world.dropsAnswers = false;
    expect(await started).toBeDefined();
    expect(world.starts.get('a')).toBe(1);
  });

  it('removes a job that has ended when it has the name', async () => {
    await start(requestOf('old', 'true'));
    await eventually(async () => !(await isLive()));
    expect(await start(requestOf('new'))).toBeDefined();
    expect(world.works.get('n')?.request.owner.job).toBe('new');
  });

  it.each([
    ['that runs', 'sleep 600', 'p'],
    ['of another pman, also one that has ended: it has still to learn of that', 'true', 'other'],
  ])('leaves a job alone %s, and says whose name it is', async (_, cmd, instance) => {
    await start(requestOf('old', cmd, instance));
    if (cmd === 'true') await eventually(async () => !(await isLive()));
    await expect(start(requestOf('new'))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('old'),
    });
    expect(world.works.get('n')?.request.owner.job).toBe('old');
  });

  it('makes nothing for a job that is cancelled or over', async () => {
    expect(await start(requestOf('a'), { cancelled: AbortSignal.abort() })).toBeUndefined();
    expect(await start(requestOf('a'), { isOver: () => true })).toBeUndefined();
    expect(world.works.size).toBe(0);
  });

  it('finds what was made for a job that is cancelled, so that it can be ended', async () => {
    await start(requestOf('a'));
    const again = { mayExist: true, cancelled: AbortSignal.abort() };
    expect(await start(requestOf('a'), again)).toMatchObject({ handle: { by: 'memory' } });
  });

  it('gives up what the engine refuses, at once', async () => {
    await expect(start({ ...requestOf('a'), image: 'nosuch' })).rejects.toBeInstanceOf(PmanError);
    expect(world.calls).toEqual(['start']);
  });
});
