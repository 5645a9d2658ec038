import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ContainerPman } from '../../../../helpers/containerPman.ts';
import { eventually } from '../../../../helpers/eventually.ts';
import {
  MEMORY_IMAGE,
  MemoryEngine,
  MemoryWorld,
  readMemoryShown,
} from '../../../../helpers/memoryEngine.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

let world: MemoryWorld;
let pman: ContainerPman;
beforeEach(() => {
  world = new MemoryWorld();
  pman = new ContainerPman(async () => new MemoryEngine(world), readMemoryShown, MEMORY_IMAGE, {
    lastWordsMs: 2000,
  });
});
afterEach(async () => {
  await pman.close();
  await world.close();
});
const gate = () => {
  let open: () => void = () => undefined;
  world.gate = new Promise((resolve) => {
    open = resolve;
  });
  return () => open();
};
const stateOf = (root: string) => pman.database.tree(root)?.cat(['container', 'currentState']);

describe('a container job that is watched', () => {
  it('shows in its record that it waits, runs, and has ended', async () => {
    const open = gate();
    const root = await pman.submit('sh -c "read x </dev/null; exit 4"');
    await eventually(() => stateOf(root) === 'notstarted');
    open();
    expect(await pman.end(root)).toMatchObject({ status: 'finishedWithError', exitCode: 4 });
    expect(pman.database.tree(root)?.cat(['container', 'state'])).toMatchObject({ exit: 4 });
  });

  it('ends also when the engine never tells of its change', async () => {
    const root = await pman.submit('sh -c "sleep 0.3"');
    await eventually(() => world.listeners.size > 0);
    world.listeners.clear();
    expect(await pman.end(root)).toMatchObject({ status: 'finishedSuccessfully' });
  });

  it('is not over while its last words cannot be read; it is looked at again', async () => {
    const go = join(tempDir(), 'go');
    const root = await pman.submit(`sh -c "echo last; until [ -e ${go} ]; do sleep 0.05; done"`);
    await pman.written(root, 'last');
    world.isAway = true;
    writeFileSync(go, '');
    await eventually(() =>
      [...world.works.values()].every(({ workers }) => workers.every((w) => w.isOver)),
    );
    expect(pman.jobs.isActive(root)).toBe(true);
    world.isAway = false;
    expect(await pman.end(root)).toMatchObject({ output: 'last\n', exitCode: 0 });
  });

  it.each(['refused', 'silent'] as const)(
    'ends although its output is %s, and says that it could not be read',
    async (kind) => {
      world.output = kind;
      const job = await pman.end(await pman.submit('sh -c "echo lost"'));
      expect(job).toMatchObject({ status: 'finishedSuccessfully', exitCode: 0 });
      expect(job.output).toMatch(/output could not be read/);
    },
  );

  it('whose output is read slowly holds up the end of no other', async () => {
    const patient = new ContainerPman(
      async () => new MemoryEngine(world),
      readMemoryShown,
      MEMORY_IMAGE,
      { lastWordsMs: 8000 },
    );
    world.output = 'silent';
    const slow = await patient.submit('echo slow');
    await eventually(() => world.calls.includes('logs'));
    world.output = 'there';
    expect(await patient.end(await patient.submit('echo quick'))).toMatchObject({ exitCode: 0 });
    expect(patient.jobs.isActive(slow)).toBe(true);
    expect((await patient.end(slow)).output).toMatch(/output could not be read/);
    await patient.close();
  });

  it('that is not there any more ends, and its cause says that somebody has removed it', async () => {
    const root = await pman.submit('sleep 600', { name: 'n' });
    await pman.written(root, '');
    await eventually(() => stateOf(root) === 'started');
    await new MemoryEngine(world).remove({ name: 'n', handle: undefined });
    const { status, cause, exitCode } = await pman.end(root);
    expect({ status, exitCode }).toEqual({ status: 'finishedWithError', exitCode: null });
    expect(cause).toMatch(/removed by somebody/);
  });

  it.each([
    ['is gone a moment later was removed: nobody knows how it ended', true],
    ['stays there has the exit code of the signal', false],
  ] as const)('that is killed at the engine and %s', async (_, isRemoved) => {
    const root = await pman.submit('sleep 600', { name: 'n' });
    await eventually(() => stateOf(root) === 'started');
    const somebody = new MemoryEngine(world);
    await somebody.end({ name: 'n', handle: undefined }, { signal: 'SIGKILL', graceMs: 0 });
    await eventually(() => world.works.get('n')?.workers.every((w) => w.isOver) === true);
    // pman has heard of the first half by then.
    await sleep(500);
    if (isRemoved) await somebody.remove({ name: 'n', handle: undefined });
    const { cause, exitCode } = await pman.end(root);
    expect({ exitCode, cause }).toEqual(
      isRemoved
        ? { exitCode: null, cause: 'removed by somebody else: the service' }
        : { exitCode: 137, cause: 'ended by SIGKILL' },
    );
  });

  it('is seen to have ended by who follows an output that it does not have, also when the engine tells nothing', async () => {
    world.tellsNothing = true;
    const root = await pman.submit('sh -c "sleep 0.3"');
    const record = pman.database.tree(root);
    if (record === undefined) throw new Error('there is no record');
    const asked = { stream: 'stderr', part: undefined } as const;
    const followed = pman.jobs.follow(root, record, asked, new AbortController().signal);
    for await (const bytes of followed) expect(bytes).toBeUndefined();
    expect(pman.jobs.isActive(root)).toBe(false);
    expect(pman.jobs.hasPart(root, record, 1)).toBe(false);
  });

  it('leaves nothing at the engine once its record has its end', async () => {
    await pman.end(await pman.submit('true'));
    await eventually(() => world.works.size === 0);
  });

  it('is asked about with one question, however many there are', async () => {
    const open = gate();
    const roots = await Promise.all(Array.from({ length: 20 }, () => pman.submit('true')));
    await eventually(() => roots.every((root) => stateOf(root) === 'notstarted'));
    world.calls.length = 0;
    world.tell('nobody');
    open();
    await Promise.all(roots.map((root) => pman.end(root)));
    expect(world.calls.filter((name) => name === 'look').length).toBeLessThan(20);
  });
});
