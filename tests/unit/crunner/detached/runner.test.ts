import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NativeKeeper } from '../../../../crunner/detached/nativeKeeper.ts';
import { keeperOfThisSystem, type OpenKeeper } from '../../../../crunner/detached/outputKeepers.ts';
import { Runner } from '../../../../crunner/detached/runner.ts';
import type { RunnerEvent } from '../../../../crunner/detached/runnerEvent.ts';
import {
  createSpool,
  partFiles,
  readSpool,
  writeLine,
} from '../../../../crunner/detached/spool.ts';
import { startTicks } from '../../../../lib/host/processes.ts';
import { hearChildSignals } from '../../../helpers/childSignals.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { processesCalledWith } from '../../../helpers/processes.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

hearChildSignals();

let folder = '';
let told: RunnerEvent[] = [];
let runner: Runner;
const keepers: Awaited<ReturnType<OpenKeeper>>[] = [];
const spools: string[] = [];

/** The end of a runner's process ends what it has opened; here that process goes on with other tests. */
const openKeeper: OpenKeeper = async (spool, onFull) => {
  const keeper = await keeperOfThisSystem(spool, onFull);
  keepers.push(keeper);
  spools.push(spool);
  return keeper;
};
afterEach(() => {
  for (const keeper of keepers.splice(0)) if (keeper instanceof NativeKeeper) keeper.close();
});
// A copier waits a while for another runner. It has the standard error of this process: who reads that would wait for it.
afterAll(() =>
  eventually(() => spools.every((spool) => processesCalledWith(spool).length === 0), {
    message: 'the copiers to end',
  }),
);

beforeEach(() => {
  folder = join(tempDir(), 'job');
  told = [];
  runner = new Runner((event) => {
    // Whatever it says is in the spool already.
    const part = readSpool(event.folder)?.parts[event.part];
    expect(event.kind === 'start' ? part?.start : part?.end).toBeDefined();
    told.push(event);
  }, openKeeper);
});

const run = (...parts: string[]) => {
  createSpool(folder, { parts, owner: null });
  return runner.run(folder);
};
const endsOf = () => readSpool(folder)?.parts.map(({ end }) => end) ?? [];
const written = (part: number) => readFileSync(partFiles(folder, part).out, 'utf8');
const kill = (graceMs: number, signal: NodeJS.Signals = 'SIGTERM') =>
  runner.kill(folder, { signal, graceMs, cause: 'ended by a test' });
const says = (part: number, text: string) =>
  eventually(() => written(part).includes(text), { message: `the job to say ${text}` });

/** A shell in a session of its own, as a runner starts them; gives its pid. */
function spawnShell(command: string, out = '/dev/null'): number {
  const fd = openSync(out, 'a');
  const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: ['ignore', fd, fd] });
  closeSync(fd);
  return child.pid ?? 0;
}

describe('Runner', () => {
  it('runs the parts in order, whatever they end with, and tells of each', async () => {
    await run('echo a; exit 3', 'cat ../nosuch', 'echo c');
    expect(told.map(({ kind, part }) => `${kind} ${part}`)).toEqual([
      ...['start 0', 'end 0', 'start 1', 'end 1', 'start 2', 'end 2'],
    ]);
    expect(endsOf()).toMatchObject([
      { returncode: 3, last: false },
      { returncode: 1, last: false },
      { returncode: 0, last: true },
    ]);
    expect([written(0), written(2)]).toEqual(['a\n', 'c\n']);
    expect(runner.isBusy).toBe(false);
  });

  it('says of the parts that have written nothing that they have not, and of no others', async () => {
    await run('true', 'echo a', 'echo b >&2', 'exit 3');
    expect(endsOf().map((end) => end?.silent === true)).toEqual([true, false, false, true]);
  });

  it('goes on after the parts that have run, and runs no job twice', async () => {
    createSpool(folder, { parts: ['echo a', 'echo b'], owner: null });
    writeLine(folder, { part: 0, start: { pid: 1, startedAt: 1 } }, false);
    writeLine(folder, { part: 0, end: { endedAt: 2, returncode: 0, last: false } }, false);
    await Promise.all([runner.run(folder), runner.run(folder)]);
    expect(existsSync(partFiles(folder, 0).out)).toBe(false);
    expect(written(1)).toBe('b\n');
    const before = told.length;
    await runner.run(folder);
    expect(told).toHaveLength(before);
  });

  it('watches a part that a killed runner has begun, and runs no further one', async () => {
    const orphan = spawnShell('sleep 60');
    const start = { pid: orphan, startedAt: 1, ticks: startTicks(orphan) ?? '' };
    createSpool(folder, { parts: ['sleep 60', 'echo never'], owner: null });
    writeLine(folder, { part: 0, start }, false);
    const done = runner.run(folder);
    expect(told).toEqual([]);
    expect(kill(5000)).toBe(true);
    await done;
    expect(endsOf()).toMatchObject([
      { returncode: null, last: true, cause: expect.stringContaining('ended by a test') },
    ]);
    expect(told.map(({ kind, part }) => `${kind} ${part}`)).toEqual(['end 0']);
    expect(existsSync(partFiles(folder, 1).out)).toBe(false);
  });

  it('runs no part again that was begun by a runner killed before it wrote so', async () => {
    createSpool(folder, { parts: ['echo again', 'echo never'], owner: null });
    const orphan = spawnShell('echo first; sleep 60', partFiles(folder, 0).out);
    await says(0, 'first');
    const done = runner.run(folder);
    await eventually(() => told.length > 0);
    expect(readSpool(folder)?.parts[0]?.start).toMatchObject({ pid: orphan });
    process.kill(-orphan, 'SIGKILL');
    await done;
    expect(endsOf()).toMatchObject([{ returncode: null, last: true }]);
    expect(written(0)).toBe('first\n');
  });

  it('leaves a job alone that is not to run', async () => {
    createSpool(folder, { parts: ['echo never'], owner: null });
    writeLine(folder, { dropped: 'nobody wants it' }, false);
    await runner.run(folder);
    expect(told).toEqual([]);
  });

  it('runs nothing of a folder that holds no accepted job', async () => {
    await runner.run(folder);
    expect(told).toEqual([]);
    expect(kill(0)).toBe(false);
  });

  it('ends a job and says who did', async () => {
    const done = run('echo up; sleep 60', 'echo never');
    await says(0, 'up');
    expect(runner.isBusy).toBe(true);
    expect(kill(5000)).toBe(true);
    await done;
    expect(endsOf()).toMatchObject([
      { returncode: -15, cause: 'ended by a test (SIGTERM)', last: true },
    ]);
    expect(existsSync(partFiles(folder, 1).out)).toBe(false);
  });

  it('ends what ignores the signal when the grace is over', async () => {
    const done = run('trap "" TERM; echo up; while :; do sleep 0.05; done');
    await says(0, 'up');
    const start = performance.now();
    kill(300);
    await done;
    expect(performance.now() - start).toBeGreaterThan(250);
    expect(endsOf()).toMatchObject([{ returncode: -9, last: true }]);
  });

  it('gives the children of a shell that ends at once their grace', async () => {
    const child = `(trap "sleep 0.3; echo cleaned; exit" TERM; echo up; while :; do sleep 0.05; done)`;
    const done = run(`${child} & wait`);
    await says(0, 'up');
    kill(10_000);
    await done;
    await says(0, 'cleaned');
  });

  it('ends the children that ignore the signal, too', async () => {
    const done = run('(trap "" TERM; echo up; while :; do sleep 0.05; done) & echo pid $!; wait');
    await says(0, 'up');
    await says(0, 'pid ');
    const pid = Number(/pid (\d+)/.exec(written(0))?.[1]);
    kill(200);
    await done;
    await eventually(() => !existsSync(`/proc/${pid}`), { message: 'the child to be gone' });
  });

  it('records a part that cannot be started', async () => {
    createSpool(folder, { parts: ['true'], owner: null });
    mkdirSync(partFiles(folder, 0).out);
    await runner.run(folder);
    expect(endsOf()).toMatchObject([
      { returncode: 127, last: true, cause: expect.stringContaining('could not be started') },
    ]);
  });

  it('closes a job that is killed while the disk refuses the end of a part', async () => {
    createSpool(folder, { parts: ['echo up; sleep 0.2', 'echo never'], owner: null });
    const complaint = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const quiet = new Runner((event) => told.push(event), openKeeper);
    const done = quiet.run(folder);
    const pid = await eventually(() => told[0]?.kind === 'start' && told[0].start.pid);
    const journal = join(folder, 'job.jsonl');
    renameSync(journal, `${journal}.away`);
    mkdirSync(journal);
    await eventually(() => !existsSync(`/proc/${pid}`), { message: 'the part to end' });
    await eventually(() => complaint.mock.calls.length > 0, { message: 'a complaint' });
    const request = { signal: 'SIGTERM', graceMs: 0, cause: 'ended by a test' } as const;
    expect(quiet.kill(folder, request)).toBe(true);
    rmdirSync(journal);
    renameSync(`${journal}.away`, journal);
    await done;
    expect(endsOf()).toMatchObject([{ returncode: 0, last: true }]);
    complaint.mockRestore();
    expect(told.at(-1)).toMatchObject({ kind: 'end', end: { last: true } });
    expect(existsSync(partFiles(folder, 1).out)).toBe(false);
  });

  it('ends a job at its time limit, which counts from its first part', async () => {
    const request = { parts: ['true', 'sleep 60', 'echo never'], owner: null };
    createSpool(folder, { ...request, limits: { timeoutMs: 10_000 } });
    // Another runner has seen the first one.
    const startedAt = Date.now() - 9_800;
    writeLine(folder, { part: 0, start: { pid: 1, startedAt } }, false);
    writeLine(folder, { part: 0, end: { endedAt: 2, returncode: 0, last: false } }, false);
    await runner.run(folder);
    expect(endsOf()).toMatchObject([
      { returncode: 0 },
      { returncode: -15, cause: 'time limit 10 s (SIGTERM)', last: true },
    ]);
  });

  it('does not end a job at once whose limit is longer than a timer can be', async () => {
    const limits = { timeoutMs: 10_000_000_000 };
    createSpool(folder, { parts: ['sleep 0.1'], owner: null, limits });
    await runner.run(folder);
    expect(endsOf()).toMatchObject([{ returncode: 0, last: true }]);
  });

  it('runs as many jobs at once as its open files allow; one that is killed while it waits never starts', async () => {
    const [second, third] = [`${folder}-2`, `${folder}-3`];
    createSpool(folder, { parts: ['echo up; sleep 0.3', 'true'], owner: null });
    createSpool(second, { parts: ['touch never'], owner: null, limits: { timeoutMs: 100 } });
    createSpool(third, { parts: ['true'], owner: null });
    const narrow = new Runner((event) => told.push(event), openKeeper, 1);
    const all = [folder, second, third].map((one) => narrow.run(one));
    await says(0, 'up');
    expect(narrow.kill(second, { signal: 'SIGTERM', graceMs: 0, cause: 'killed' })).toBe(true);
    await all[1];
    expect(readSpool(second)).toMatchObject({ dropped: 'killed before it started', parts: [] });
    await Promise.all(all);
    expect(told.map(({ kind, folder: of, part }) => [kind, of, part])).toEqual([
      ...[['start', folder, 0] as const, ['end', folder, 0] as const],
      ...[['start', folder, 1] as const, ['end', folder, 1] as const],
      ...[['start', third, 0] as const, ['end', third, 0] as const],
    ]);
  });

  it('ends no earlier than it began when the clock is set back, and has taken what it took', async () => {
    const clock = jest.spyOn(Date, 'now');
    try {
      const real =
        clock.getMockImplementation() ?? (() => performance.timeOrigin + performance.now());
      createSpool(folder, { parts: ['echo up; sleep 0.3', 'true'], owner: null });
      const done = runner.run(folder);
      await says(0, 'up');
      clock.mockImplementation(() => Math.round(real() - 3_600_000));
      await done;
    } finally {
      clock.mockRestore();
    }
    const [first, second] = readSpool(folder)?.parts ?? [];
    const wallMs = (first?.end?.usage?.wall_seconds ?? 0) * 1000;
    expect(wallMs).toBeGreaterThan(250);
    const tookMs = (first?.end?.endedAt ?? 0) - (first?.start?.startedAt ?? 0);
    expect(Math.abs(tookMs - wallMs)).toBeLessThan(5);
    expect(second?.start?.startedAt).toBeGreaterThanOrEqual(first?.end?.endedAt ?? Infinity);
    expect(second?.end?.endedAt).toBeGreaterThanOrEqual(second?.start?.startedAt ?? Infinity);
  });

  it('ends when its spool folder is removed meanwhile', async () => {
    createSpool(folder, { parts: ['echo up; sleep 0.3', 'true'], owner: null });
    const done = new Runner(() => undefined, openKeeper).run(folder);
    await says(0, 'up');
    rmSync(folder, { recursive: true });
    await done;
    expect(existsSync(folder)).toBe(false);
  });
});
