import {
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { systemErrorCode } from '../../lib/errors.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  act,
  endServer,
  makeGate,
  replyOf,
  resultOf,
  runJob,
  statesOf,
  untilEnded,
} from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';
import { canMount, makeReadOnly, mountSmallDisk, setWritable, unmount } from './mounts.ts';

// Each starts a server several times, and the machine may be busy.

const probe = mkdtempSync(join(tmpdir(), 'pman-mount-'));
const mounts = canMount(join(probe, 'disk'));
afterAll(() => rmSync(probe, { recursive: true, force: true }));

const RUN = { cmd: 'true', auid: 'tester', jid: 'refused', threaded: true };

async function healthOf(server: TestServer): Promise<{ ok: boolean; database: string }> {
  const { d_ret } = await server.post('hello', { askAbout: 'health' });
  return (d_ret as { health: { ok: boolean; database: string } }).health;
}

/** Jobs are refused with 507 and not half taken in; what is known is still told. */
async function expectRefusal(server: TestServer, known: string): Promise<void> {
  const answer = await act(server, 'run', RUN);
  expect(answer.status).toBe(507);
  expect(replyOf(answer).error?.message).toMatch(/was not accepted/);
  expect(await statesOf(server, RUN.jid)).toEqual([]);
  expect((await resultOf(server, known)).stdout).toEqual(['known\n']);
}

async function untilHealthy(server: TestServer): Promise<void> {
  await eventually(async () => (await healthOf(server)).ok, { message: 'the database to be well' });
}

async function expectOnDisk(server: TestServer, jid: string): Promise<void> {
  const { jobRoot } = await untilEnded(server, jid);
  const leaf = join(server.folders.DBpath, jobRoot, 'end/1/endInfo');
  await eventually(() => existsSync(leaf), { message: `the record of ${jid} to be on the disk` });
}

const cannotMount = () => (mounts ? undefined : 'mounting a small disk needs the right to mount');

describeWithEngine('a disk', cannotMount, () => {
  it('that is full has new runs refused until there is room; what runs ends as it does', async () => {
    const root = tempDir();
    const disk = join(root, 'disk');
    mountSmallDisk(disk, 4);
    const folders = { ...makeFolders(join(root)), DBpath: join(disk, 'db') };
    const server = await startServer({ folders });
    const known = await runJob(server, 'echo known');
    await expectOnDisk(server, known);
    const gate = makeGate(server);
    const running = await runJob(server, `${gate.wait} && exit 5`);
    await eventually(async () => (await statesOf(server, running))[0] === 'started');
    fill(disk);
    await expectRefusal(server, known);
    expect(await healthOf(server)).toMatchObject({
      ok: false,
      database: expect.stringContaining('ENOSPC'),
    });
    gate.open();
    // Its end has to wait for room, too: nothing may be told that a crash would take back.
    const filler = join(disk, 'filler');
    expect((await act(server, 'status', { key: 'jid', value: running })).status).toBe(200);
    rmSync(filler);
    expect(await untilEnded(server, running)).toMatchObject({ returncode: [5] });
    await untilHealthy(server);
    const later = await runJob(server, 'echo later');
    await expectOnDisk(server, later);
    await expectOnDisk(server, running);
    await server.kill9();
    await server.restart();
    expect((await resultOf(server, running)).returncode).toEqual([5]);
    expect((await resultOf(server, later)).stdout).toEqual(['later\n']);
    await endServer(server);
  });

  it('that is full takes a job that waits wholly or not at all, and runs those that it took', async () => {
    const root = tempDir();
    const disk = join(root, 'disk');
    mountSmallDisk(disk, 4);
    const folders = { ...makeFolders(join(root)), DBpath: join(disk, 'db') };
    const server = await startServer({ folders, flags: ['--maxJobs', '1'] });
    const gate = makeGate(server);
    const running = await runJob(server, gate.wait);
    await eventually(async () => (await statesOf(server, running))[0] === 'started');
    const taken = [await runJob(server, 'echo first')];
    fill(disk);
    // The last block of the file may have room for some.
    for (let k = 0; ; k += 1) {
      const jid = `waits-${k}`;
      const meta = { ...{ cmd: `echo ${jid}`, auid: 'tester', jid, threaded: true } };
      const { status } = await act(server, 'run', meta);
      if (status === 507) break;
      expect(status).toBe(200);
      taken.push(jid);
    }
    await server.kill9();
    rmSync(join(disk, 'filler'));
    await server.restart();
    gate.open();
    for (const jid of taken) {
      expect(await statesOf(server, jid)).toHaveLength(1);
      expect(await untilEnded(server, jid)).toMatchObject({ returncode: [0] });
    }
    const listed = (await server.request('GET', '/api/v1')).json() as { GET: object };
    expect(Object.keys(listed.GET)).toHaveLength(taken.length + 1);
    await endServer(server);
  });

  it('that lets nobody write the records is told of, and nothing is lost of what was accepted', async () => {
    const folders = makeFolders();
    const { DBpath } = folders;
    mountSmallDisk(DBpath, 4); // the records alone; the spool is elsewhere
    const server = await startServer({ folders });
    const known = await runJob(server, 'echo known');
    await expectOnDisk(server, known);
    expect(setWritable(DBpath, false)).toBe(true);
    const first = await runJob(server, 'echo first');
    await eventually(async () => !(await healthOf(server)).ok, { message: 'health to tell' });
    expect((await healthOf(server)).database).toMatch(/cannot write to .*EROFS/);
    await expectRefusal(server, known);
    expect((await act(server, 'DBctl', { do: 'save' })).status).toBe(507);
    await server.kill9();
    expect(setWritable(DBpath, true)).toBe(true);
    await server.restart();
    await expectOnDisk(server, first);
    expect((await resultOf(server, first)).stdout).toEqual(['first\n']);
    await endServer(server);
  });

  it.each(['DBpath', 'spool'] as const)(
    'that is read-only at %s keeps what is to be deleted, and says so; old jobs wait for it too',
    async (place) => {
      const server = await startServer({ flags: ['--keepJobs', '3', '--DBsavePeriod', '1'] });
      const { DBpath } = server.folders;
      const jids: string[] = [];
      for (let i = 0; i < 3; i += 1) jids.push(await runJob(server, 'echo known'));
      for (const jid of jids) await expectOnDisk(server, jid);
      const folder = place === 'DBpath' ? DBpath : `${DBpath}.spool`;
      expect(makeReadOnly(folder)).toBe(true);
      const [first = ''] = jids;
      const answer = await act(server, 'delete', { value: first });
      expect(answer.status).toBe(507);
      expect(replyOf(answer)).toMatchObject({ status: false, error: { code: 'storage' } });
      expect((await act(server, 'DBctl', { do: 'clear' })).status).toBe(507);
      unmount(folder);
      await untilHealthy(server);
      await runJob(server, 'echo fourth').then((jid) => expectOnDisk(server, jid));
      expect(makeReadOnly(folder)).toBe(true);
      // The fourth is one too many, which the next look at old jobs finds out.
      await eventually(() => /old jobs cannot be removed/.test(server.output.stderr), {
        message: 'the removal of old jobs to be refused',
      });
      for (const jid of jids) expect(await statesOf(server, jid)).toEqual(['finishedSuccessfully']);
      await server.kill9();
      unmount(folder);
      await server.restart();
      expect(await statesOf(server, jids[2] ?? '')).toEqual(['finishedSuccessfully']);
      await eventually(async () => (await statesOf(server, first)).length === 0, {
        message: 'the oldest job to be removed',
      });
      await endServer(server);
    },
  );

  it('that lets nobody write the spool has new runs refused, and recovers', async () => {
    const server = await startServer();
    const spool = `${server.folders.DBpath}.spool`;
    const known = await runJob(server, 'echo known');
    await expectOnDisk(server, known);
    expect(makeReadOnly(spool)).toBe(true);
    await expectRefusal(server, known);
    unmount(spool);
    await untilHealthy(server);
    await expectOnDisk(server, await runJob(server, 'echo later'));
    await endServer(server);
  });
});

/** Leaves no byte free. */
function fill(disk: string): void {
  const { bfree, bsize } = statfsSync(disk);
  try {
    writeFileSync(join(disk, 'filler'), Buffer.alloc(bfree * bsize));
  } catch (error) {
    // pman has taken some of it meanwhile: now it is full all the same.
    if (systemErrorCode(error) !== 'ENOSPC') throw error;
  }
}

/** A job is refused, for this reason; pman looks for its folder once in a while. */
async function refusedAt(server: TestServer, pattern: RegExp): Promise<void> {
  await eventually(async () => !(await healthOf(server)).ok, { message: 'the loss to be seen' });
  const answer = await act(server, 'run', RUN);
  expect(answer.status).toBe(507);
  expect(replyOf(answer).error?.message).toMatch(pattern);
}

describe('a database folder that somebody moves while pman runs', () => {
  it('is not made anew: jobs are refused until it is back, and those that run end with all they wrote', async () => {
    const own = makeFolders();
    const folders = { ...own, DBpath: join(own.root, 'place', 'db') };
    const server = await startServer({ folders });
    const { DBpath } = folders;
    const above = dirname(DBpath);
    const known = await runJob(server, 'echo known');
    await expectOnDisk(server, known);
    const gate = makeGate(server);
    const jid = await runJob(server, `${gate.wait}; echo late; exit 3; echo more >&2; echo more`);
    await eventually(async () => (await statesOf(server, jid)).includes('started'));
    renameSync(above, `${above}.away`);
    await refusedAt(server, /was not accepted: .* was moved while it was in use: it is .*\.away/);
    const ready = await fetch(`http://127.0.0.1:${server.port}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([
      503,
      'the folder of the database was moved or removed\n',
    ]);
    expect((await act(server, 'DBctl', { do: 'load' })).status).toBe(507);
    expect((await act(server, 'delete', { value: known })).status).toBe(507);
    gate.open();
    const { jobRoot } = await untilEnded(server, jid);
    expect(await statesOf(server, jid)).toEqual(['finishedWithError']);
    expect((await resultOf(server, jid)).stdout.join('')).toBe('late\nmore\n');
    expect((await resultOf(server, known)).stdout).toEqual(['known\n']);
    expect(existsSync(above)).toBe(false);
    // Another one works there meanwhile: the first one leaves it alone.
    const second = await startServer({
      folders: { ...folders, directiveFile: join(own.root, 'other.json') },
    });
    await refusedAt(server, /was moved/);
    await expectOnDisk(second, await runJob(second, 'echo second'));
    await endServer(second);
    expect(readdirSync(DBpath)).toHaveLength(1);
    rmSync(above, { recursive: true });
    renameSync(`${above}.away`, above);
    await untilHealthy(server);
    await expectOnDisk(server, await runJob(server, 'echo back'));
    await eventually(() => existsSync(join(DBpath, jobRoot, 'end/1/endInfo')));
    const told = server.output.stderr.match(/cannot write to/g);
    expect(told).toHaveLength(1);
    await server.kill9();
    await server.restart();
    expect(await statesOf(server, jid)).toEqual(['finishedWithError']);
    await endServer(server);
  });
});

describe('a database folder that somebody removes while pman runs', () => {
  it('is made anew by the next job, for this pman alone', async () => {
    const server = await startServer();
    await untilEnded(server, await runJob(server, 'echo gone'));
    await server.post('DBctl', { do: 'save' });
    rmSync(server.folders.DBpath, { recursive: true });
    const jid = await runJob(server, 'echo anew');
    await expectOnDisk(server, jid);
    // Another name of it leads no second one there.
    const other = makeFolders();
    rmSync(other.DBpath, { recursive: true, force: true });
    symlinkSync(server.folders.DBpath, other.DBpath);
    await expect(startServer({ folders: other })).rejects.toThrow(/is in use/);
    await server.kill9();
    await server.restart();
    expect((await resultOf(server, jid)).stdout).toEqual(['anew\n']);
    await endServer(server);
  });

  it('refuses jobs when its spool is gone, and the next start makes it', async () => {
    const server = await startServer();
    rmSync(`${server.folders.DBpath}.spool`, { recursive: true });
    await refusedAt(server, /was not accepted: .* was removed while it was in use/);
    await server.kill9();
    await server.restart();
    await expectOnDisk(server, await runJob(server, 'echo anew'));
    await endServer(server);
  });

  it('keeps jobs when only what lies in its spool was removed: that is made anew', async () => {
    const server = await startServer();
    rmSync(join(`${server.folders.DBpath}.spool`, 'jobs'), { recursive: true });
    const jid = await runJob(server, 'echo anew');
    await expectOnDisk(server, jid);
    await server.kill9();
    await server.restart();
    expect((await resultOf(server, jid)).stdout).toEqual(['anew\n']);
    await endServer(server);
  });
});
