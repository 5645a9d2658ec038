import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer, runJob, untilEnded } from '../helpers/pman.ts';
import { builtProgram, makeFolders, startServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

/** A server that says where it listens, whose readers then leave; gives its address. */
async function withoutReaders(program: string, flags: readonly string[]) {
  const [file = '', ...args] = builtProgram(program);
  const child = spawn(file, [...args, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const address = await new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        const [, port] = /listening on .*:(\d+)/.exec(line) ?? [];
        if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
      });
    }
  });
  const closed = Promise.all([once(child.stdout, 'close'), once(child.stderr, 'close')]);
  child.stdout.destroy();
  child.stderr.destroy();
  await closed;
  return { child, address };
}

describe('a server whose log nobody reads any more', () => {
  it.each([[[]], [['serve']]])('goes on: pman %j', async (verb) => {
    const { DBpath, directiveFile } = makeFolders();
    const { child, address } = await withoutReaders('pman', [
      ...verb,
      ...['--port', '0', '--DBpath', DBpath, '--directiveFile', directiveFile],
      ...['--verbosity', '2', '--jobsAtExit', 'end'],
    ]);
    const meta = { cmd: 'echo ok', auid: 'a', jid: '1' };
    for (let i = 0; i < 3; i += 1) {
      const body = JSON.stringify({ payload: { action: 'run', meta } });
      const answer = await fetch(address, { method: 'POST', body });
      expect(await answer.json()).toMatchObject({ status: true });
    }
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('goes on: pfioh', async () => {
    const flags = ['--port', '0', '--forever', '--storeBase', tempDir()];
    const { child, address } = await withoutReaders('pfioh', flags);
    for (let i = 0; i < 3; i += 1) expect((await fetch(address)).status).toBe(400);
    expect(child.exitCode).toBeNull();
  });
});

/** A disk of 64 KiB at a folder; false where nobody may mount one. */
function mountSmallDisk(folder: string): boolean {
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', folder], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

it('a full disk under the debug log does not end pman, and the log says later that lines are missing', async () => {
  const disk = join(tempDir(), 'disk');
  if (!mountSmallDisk(disk)) return;
  try {
    const debugFile = join(disk, 'debug.log');
    const server = await startServer({ flags: ['--debugToFile', '--debugFile', debugFile] });
    const filler = join(disk, 'filler');
    try {
      writeFileSync(filler, Buffer.alloc(128 * 1024));
    } catch {
      // It is full now.
    }
    for (let i = 0; i < 40; i += 1) await untilEnded(server, await runJob(server, 'true'));
    writeFileSync(filler, '');
    await untilEnded(server, await runJob(server, 'true'));
    await eventually(() => /\d+ lines are missing here/.test(readFileSync(debugFile, 'utf8')));
    await endServer(server);
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});

describe('the log at its usual level', () => {
  it('tells what an operator asks: the database, each job and its end, what goes on; as JSON when asked', async () => {
    const folders = makeFolders();
    const server = await startServer({ folders, flags: ['--logFormat', 'json'] });
    const jid = await runJob(server, 'echo secret; exit 3', { auid: 'ana' });
    const { jobRoot } = await untilEnded(server, jid);
    const killed = await runJob(server, 'sleep 60', { auid: 'bob' });
    await server.post('kill', { key: 'jid', value: killed });
    await untilEnded(server, killed);
    const left = await runJob(server, 'sleep 60');
    await server.stop();
    const said = server.output.stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const find = (message: string) => said.filter((line) => line.message === message);
    expect(find('started')).toMatchObject([{ database: folders.DBpath, jobs: { recorded: 0 } }]);
    const id = jobRoot.split('_')[1]?.slice(0, 8);
    expect(find('job accepted')[0]).toMatchObject({ job: jobRoot, id, auid: 'ana', jid });
    expect(find('job ended')).toMatchObject([
      { job: jobRoot, id, auid: 'ana', status: 'finishedWithError', returncode: 3 },
      { auid: 'bob', cause: expect.stringContaining('ended by a kill request') },
    ]);
    expect(find('jobs go on without pman')).toMatchObject([{ running: 1, waiting: 0 }]);
    expect(JSON.stringify(said)).not.toContain('secret');
    const next = await startServer({ folders });
    await next.post('kill', { key: 'jid', value: left, grace: 0 });
    await untilEnded(next, left);
    await endServer(next);
    server.endJobs();
  });

  it('tells of pfioh what was transferred, where to, how many bytes and how long it took', async () => {
    const store = tempDir();
    const [file = '', ...args] = builtProgram('pfioh');
    const flags = ['--port', '0', '--forever', '--storeBase', store, '--logFormat', 'json'];
    const child = spawn(file, [...args, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let log = '';
    child.stderr.on('data', (text: Buffer) => {
      log += text.toString();
    });
    const port = await new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [, found] = /listening on .*:(\d+)/.exec(line) ?? [];
        if (found !== undefined) resolve(found);
      });
    });
    writeFileSync(join(store, 'f'), 'x'.repeat(1000));
    const meta = {
      remote: { path: join(store, 'f') },
      transport: { compress: { archive: 'none', encoding: 'none' } },
    };
    const query = new URLSearchParams({ action: 'pullPath', meta: JSON.stringify(meta) });
    const pulled = await fetch(`http://127.0.0.1:${port}/api/v1/cmd?${query}`);
    expect((await pulled.text()).length).toBe(1000);
    const line = await eventually(() => log.split('\n').find((text) => text.includes('"pull"')));
    const said = JSON.parse(line) as Record<string, unknown>;
    expect(said).toMatchObject({ message: 'pull', where: join(store, 'f'), status: 200 });
    expect(said.bytes).toBeGreaterThanOrEqual(1000);
    expect(said.ms).toEqual(expect.any(Number));
  });
});
