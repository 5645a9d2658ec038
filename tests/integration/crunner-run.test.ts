import { getEventListeners } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { crunner, type RunEvent } from '../../crunner/attached/runCommand.ts';
import { isAlive, numberIn } from '../helpers/crunnerProgram.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempDir.ts';
import { temporaryNames } from '../helpers/temporaryNames.ts';

async function all(run: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

describe('crunner', () => {
  it('tells of each part, in order, when it starts and how it ends', async () => {
    const events = await all(crunner('exit 3; kill -9 $$;', { pipeline: true }));
    expect(events).toMatchObject([
      { type: 'start', part: 0, cmd: 'exit 3' },
      { type: 'end', part: 0, cmd: 'exit 3', returncode: 3 },
      { type: 'start', part: 1, cmd: ' kill -9 $$' },
      { type: 'end', part: 1, returncode: -9 },
      { type: 'start', part: 2, cmd: '' },
      { type: 'end', part: 2, returncode: 0 },
    ]);
    for (const event of events) {
      expect(event.pid).toBeGreaterThan(1);
      if (event.type === 'end') expect(event.endedAt >= event.startedAt).toBe(true);
    }
  });

  it('names the folder when that is what cannot be used', async () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    for (const [cwd, code, why] of [
      ['/no/such/folder', 'ENOENT', 'there is no such folder'],
      [file, 'ENOTDIR', 'it is no folder'],
    ] as const) {
      await expect(all(crunner('pwd', { cwd }))).rejects.toMatchObject({
        ...{ code, message: `cannot work in ${cwd}: ${why}` },
      });
    }
  });

  it('sends the output where it is told to', async () => {
    const file = join(tempDir(), 'out');
    const fd = openSync(file, 'w');
    await all(crunner('echo a; echo b >&2', { stdio: () => ['ignore', fd, fd] }));
    closeSync(fd);
    expect(readFileSync(file, 'utf8')).toBe('a\nb\n');
  });

  it('runs a command of more than 128 KiB, or one that begins with a dash', async () => {
    const file = join(tempDir(), 'out');
    const fd = openSync(file, 'w');
    const scripts = temporaryNames((name) => /^crunner-.*\.sh$/.test(name));
    const stdio = () => ['ignore', fd, fd] as const;
    await all(crunner(`echo ${'x'.repeat(300_000)} | wc -c; echo "$0"`, { stdio }));
    const [, end] = await all(crunner('-x', { stdio }));
    closeSync(fd);
    expect(readFileSync(file, 'utf8')).toMatch(/^300001\n\/bin\/sh\n.*-x: not found\n$/);
    expect(end).toMatchObject({ returncode: 127 });
    await scripts.areGone();
  });

  it('ends the job and the run when aborted, and leaves no listener on the signal', async () => {
    const controller = new AbortController();
    const events: RunEvent[] = [];
    for await (const event of crunner('sleep 60; echo never', {
      pipeline: true,
      signal: controller.signal,
    })) {
      events.push(event);
      controller.abort();
    }
    expect(events).toMatchObject([{ type: 'start' }, { type: 'end', returncode: -15 }]);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('kills what does not end in the grace time', async () => {
    const pidFile = join(tempDir(), 'pid');
    const command = `trap '' TERM; echo $$ >'${pidFile}'; while :; do sleep 0.05; done`;
    const run = crunner(command, { graceMs: 50 });
    const events = all(run);
    await eventually(() => numberIn(pidFile));
    run.stop();
    expect(await events).toMatchObject([{}, { returncode: -9 }]);
  });

  it('ends the job when the loop is left', async () => {
    let pid = 0;
    for await (const event of crunner('sleep 60')) {
      pid = event.pid;
      break;
    }
    expect(isAlive(pid)).toBe(false);
  });

  it('runs nothing when aborted before it begins', async () => {
    const file = join(tempDir(), 'file');
    expect(await all(crunner(`touch '${file}'`, { signal: AbortSignal.abort() }))).toEqual([]);
    expect(existsSync(file)).toBe(false);
  });

  it('throws when a part cannot be started', async () => {
    await expect(all(crunner('true', { cwd: '/no/such/folder' }))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
