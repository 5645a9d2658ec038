import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { Wire } from '../helpers/http.ts';
import {
  act,
  command,
  endServer,
  isRunning,
  makeGate,
  replyOf,
  resultOf,
  resultsOf,
  runJob,
  statesOf,
  untilEnded,
} from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

// Many starts of a program, one after the other, on a machine that may be busy.

const start = (...flags: readonly string[]) =>
  startServer({ flags: ['--listeners', '2', ...flags] });
const jobList = async (server: TestServer) =>
  Object.keys(replyOf(await server.request('GET', '/api/v1')).GET as object);
const whole = async (server: TestServer) =>
  Promise.all((await jobList(server)).map((root) => server.post('get', { path: `/${root}` })));
const put = (server: TestServer, meta: object) =>
  server.request('PUT', '/', {
    body: { payload: { action: 'run', meta: { context: 'db', ...meta } } },
  });
/** What is written within the database, leaf by leaf. */
const onDisk = (server: TestServer, root: string, leaf: string): unknown =>
  JSON.parse(readFileSync(join(server.folders.DBpath, root, leaf), 'utf8'));

describe('quit', () => {
  it('answers, saves, frees the port and exits 0', async () => {
    const server = await start();
    const jid = await runJob(server, 'echo kept');
    const { jobRoot } = await untilEnded(server, jid);
    const { port } = server;
    const reply = await server.post('quit', { saveDB: true, when: 'now' });
    expect([reply.status, reply.d_ret]).toEqual([true, {}]);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await expect(Wire.open(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(onDisk(server, jobRoot, 'endInfo')).toEqual({ allJobsDone: true });
    await server.restart();
    expect((await resultOf(server, jid)).stdout).toEqual(['kept\n']);
    // PUT reads as done and does nothing.
    const body = command('quit', {});
    expect(replyOf(await server.request('PUT', '/', { body })).status).toBe(true);
    expect((await server.post('hello', { askAbout: 'timestamp' })).status).toBe(true);
    await endServer(server);
  });

  it('leaves a running job alone; the next server sees its end', async () => {
    const server = await start();
    const gate = makeGate(server);
    const jid = await runJob(server, `echo before && ${gate.wait} && echo after; exit 5`);
    await eventually(async () => (await resultOf(server, jid)).stdout[0] === 'before\n');
    await server.post('quit', {});
    await server.exited;
    await server.restart();
    expect(await statesOf(server, jid)).toEqual(['started']);
    gate.open();
    expect(await untilEnded(server, jid)).toMatchObject({
      returncode: [0, 5],
      stdout: ['before\nafter\n', ''],
    });
    await endServer(server);
  });
});

describe('DBctl and PUT', () => {
  it('save, clear and load the database', async () => {
    const server = await start();
    const jids = [
      await runJob(server, 'echo 1'),
      await runJob(server, 'echo 2', { auid: 'other' }),
    ];
    for (const jid of jids) await untilEnded(server, jid);
    const roots = await jobList(server);

    const saved = await server.post('DBctl', { do: 'save', dbpath: 'copy', fileio: 'json' });
    expect(Object.keys(saved.d_ret as object)).toEqual(roots);
    const filtered = await put(server, { dbpath: 'other', key: 'auid', value: 'other' });
    expect(replyOf(filtered).status).toBe(true);
    expect(readdirSync(`${server.folders.DBpath}.spool/exports/other`)).toEqual([roots[1]]);
    // The live tree is untouched by a filtered save.
    expect(await jobList(server)).toEqual(roots);

    const cleared = await server.post('DBctl', { do: 'clear' });
    expect(cleared.d_ret).toEqual({});
    expect(readdirSync(server.folders.DBpath)).toEqual([]);
    expect(await put(server, { operation: 'load', dbpath: 'copy' })).toMatchObject({ status: 200 });
    expect(await jobList(server)).toEqual(roots);
    expect((await resultOf(server, jids[1] ?? '')).stdout).toEqual(['2\n']);
    expect((await server.post('DBctl', { do: 'nothing of the kind' })).status).toBe(true);
    expect((await put(server, { context: 'elsewhere', operation: 'clear' })).status).toBe(200);
    expect(await jobList(server)).toEqual(roots);
    await endServer(server);
  });

  it('keep the record of a job that runs while all is cleared', async () => {
    const server = await start();
    const gate = makeGate(server);
    const jid = await runJob(server, `${gate.wait} && echo survived`);
    await eventually(async () => (await statesOf(server, jid))[0] === 'started');
    await server.post('DBctl', { do: 'clear' });
    gate.open();
    expect((await untilEnded(server, jid)).stdout).toEqual(['survived\n']);
    await endServer(server);
  });
});

describe('a restart on the same database', () => {
  it('keeps every record to the letter, and their order', async () => {
    const server = await start();
    for (const [i, cmd] of ['echo a; false; echo é >&2', 'exit 3', "printf 'x\\377'"].entries()) {
      await untilEnded(
        server,
        await runJob(server, cmd, { jid: `j${i}`, extra: { deep: [1.0, null] } }),
      );
    }
    const [roots, before] = [await jobList(server), await whole(server)];
    await server.restart();
    expect(await jobList(server)).toEqual(roots);
    const after = await whole(server);
    expect(after.map(({ d_ret }) => d_ret)).toEqual(before.map(({ d_ret }) => d_ret));
    await endServer(server);
  });

  it.each([
    ['before the job ends', true],
    ['and the job ends while no server is there', false],
  ])('after kill -9 of pman tells exit code and output: %s', async (_when, endsLater) => {
    const server = await start();
    const gate = makeGate(server);
    const jid = await runJob(
      server,
      `printf early; ${gate.wait} && printf late && exit 42; echo last`,
    );
    await eventually(async () => (await resultOf(server, jid)).returncode.length === 2);
    await server.kill9();
    if (!endsLater) {
      gate.open();
      await eventually(() => !server.children().some(({ command: c }) => c.includes('until')));
    }
    await server.restart();
    if (endsLater) {
      expect(await statesOf(server, jid)).toEqual(['started']);
      gate.open();
    }
    expect(await untilEnded(server, jid)).toMatchObject({
      status: 'finishedWithError',
      returncode: [0, 42, 0],
      stdout: ['early', 'late', 'last\n'],
    });
    await endServer(server);
  });

  it('after kill -9 straight after the answer has lost no job', async () => {
    const server = await start('--maxJobs', '4');
    const jids = await Promise.all(
      Array.from({ length: 40 }, (_, i) => runJob(server, `echo ${i} >> ran-${i}`)),
    );
    await server.kill9();
    await server.restart();
    for (const [i, jid] of jids.entries()) {
      expect((await untilEnded(server, jid)).returncode).toEqual([0]);
      // Once, not twice.
      expect(readFileSync(join(server.folders.cwd, `ran-${i}`), 'utf8')).toBe(`${i}\n`);
    }
    await endServer(server);
  });

  it('says of a job that it is lost when nothing is left to know more', async () => {
    const server = await start();
    const jid = await runJob(server, 'echo $$ && sleep 70');
    await eventually(async () => (await resultOf(server, jid)).stdout[0]);
    await server.kill9();
    const pids = server.children().map(({ pid }) => pid);
    server.endJobs();
    await eventually(() => !pids.some(isRunning));
    await server.restart();
    expect(await untilEnded(server, jid)).toMatchObject({ status: 'lost', returncode: [null] });
    await endServer(server);
  });

  it('passes over a leaf that is damaged, and says so', async () => {
    const server = await start();
    const jids = [await runJob(server, 'echo 1'), await runJob(server, 'echo 2')];
    const roots: string[] = [];
    for (const jid of jids) roots.push((await untilEnded(server, jid)).jobRoot);
    await server.stop();
    const leaf = join(server.folders.DBpath, roots[0] ?? '', 'jid');
    writeFileSync(leaf, '{"half');
    await server.restart();
    expect((await resultOf(server, jids[1] ?? '')).stdout).toEqual(['2\n']);
    expect(await jobList(server)).toEqual(roots);
    expect((await server.request('GET', `/api/v1/${roots[0]}`)).status).toBe(200);
    await eventually(() => server.output.stderr.includes('not readable and was moved aside'));
    expect(existsSync(leaf)).toBe(false);
    await endServer(server);
  });

  it('runs the next jobs in the environment and the folder of the new pman', async () => {
    const server = await start();
    const gate = makeGate(server);
    await runJob(server, gate.wait); // keeps the runner of the first pman alive
    await server.stop();
    const next = await startServer({
      folders: { ...server.folders, cwd: server.folders.home },
      env: { ONLY_NOW: 'yes' },
    });
    const { stdout } = await untilEnded(next, await runJob(next, 'pwd && echo "$ONLY_NOW"'));
    gate.open();
    await endServer(next);
    server.endJobs();
    expect(stdout).toEqual([`${server.folders.home}\nyes\n`]);
  });
});

describe('delete', () => {
  it('removes what has ended, and all that is kept of it', async () => {
    const server = await start();
    const jid = await runJob(server, 'echo secret');
    const { jobRoot } = await untilEnded(server, jid);
    expect(replyOf(await act(server, 'delete', { value: jid }))).toMatchObject({
      status: true,
      d_ret: { action: 'Delete Job', job_id: jid, status: 'Job deleted successfully' },
    });
    expect(await resultsOf(server, jid)).toEqual([]);
    expect(existsSync(join(server.folders.DBpath, jobRoot))).toBe(false);
    expect(existsSync(join(`${server.folders.DBpath}.spool`, 'jobs', jobRoot))).toBe(false);
    await server.restart();
    expect(await jobList(server)).toEqual([]);
    await endServer(server);
  });
});

describe('a database whose disk', () => {
  it('was taken away is written anew', async () => {
    const server = await start();
    rmSync(server.folders.DBpath, { recursive: true });
    const { jobRoot } = await untilEnded(server, await runJob(server, 'echo anew'));
    // Leaves are written one after the other.
    const count = join(server.folders.DBpath, jobRoot, 'jobCount');
    await eventually(() => existsSync(count) && onDisk(server, jobRoot, 'jobCount') === 1, {
      message: 'the record to be written in the folder that was made anew',
    });
    await endServer(server);
  });
});
