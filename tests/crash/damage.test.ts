import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate, resultOf, runJob, statesOf, untilEnded } from '../helpers/pman.ts';
import { said } from '../helpers/said.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

// Each starts a server several times, and the machine may be busy.

const damages: ReadonlyArray<readonly [what: string, damage: (leaf: string) => void]> = [
  ['is empty', (leaf) => truncateSync(leaf)],
  ['was cut', (leaf) => truncateSync(leaf, 3)],
  ['holds other bytes', (leaf) => writeFileSync(leaf, Buffer.from([0xff, 0xfe, 0, 1]))],
  ['is a dangling link', (leaf) => replace(leaf, () => symlinkSync('/nowhere/at/all', leaf))],
  ['is missing', (leaf) => rmSync(leaf)],
  ['is a folder', (leaf) => replace(leaf, () => mkdirSync(leaf))],
];

function replace(leaf: string, make: () => void): void {
  rmSync(leaf);
  make();
}

/** A server with some jobs that have ended, and it has too. */
async function startAndEnd(count: number): Promise<{ server: TestServer; jids: string[] }> {
  const server = await startServer();
  const jids: string[] = [];
  for (let i = 0; i < count; i += 1) jids.push(await runJob(server, `echo ${i}`));
  for (const jid of jids) await untilEnded(server, jid);
  // A server that ends does not wait long for a slow disk: the spool has what a record lacks then.
  const { DBpath } = server.folders;
  const hasAll = (root: string) => {
    const count = join(DBpath, root, 'jobCount');
    return existsSync(count) && readFileSync(count, 'utf8') === '1';
  };
  await eventually(() => readdirSync(DBpath).filter(hasAll).length === count, {
    message: 'the records to be written',
  });
  await endServer(server);
  return { server, jids };
}

function replaceBy(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true, force: true });
  make(path);
}

function makePipe(path: string): void {
  execFileSync('mkfifo', [path]);
}

const index = (server: TestServer) => join(workFolderOf(server), 'index.jsonl');
const drafts = (server: TestServer) => join(workFolderOf(server), 'drafts');
const acceptedOf = (server: TestServer) => join(workFolderOf(server), 'accepted');
const leaf = (server: TestServer, root: string) => join(server.folders.DBpath, root, 'cmd');
const journal = (server: TestServer, root: string) => join(spoolOf(server), root, 'job.jsonl');
const spoolOf = (server: TestServer) => join(`${server.folders.DBpath}.spool`, 'jobs');
const workFolderOf = (server: TestServer) => `${server.folders.DBpath}.spool`;

/** A server that was killed while three jobs waited for one that runs until the gate is opened. */
async function startAndKillWithWaiting() {
  const server = await startServer({ flags: ['--maxJobs', '1'] });
  const gate = makeGate(server);
  const running = await runJob(server, gate.wait);
  await eventually(async () => (await statesOf(server, running))[0] === 'started');
  const jids = [
    await runJob(server, 'echo 0'),
    await runJob(server, 'echo 1'),
    await runJob(server, 'echo 2'),
  ] as const;
  await server.kill9();
  return { server, gate, jids };
}

describe('a start', () => {
  it.each([true, false])(
    'with damaged leaves loses these and nothing else (index kept: %s)',
    async (keepIndex) => {
      const { server, jids } = await startAndEnd(damages.length + 1);
      const roots = readdirSync(server.folders.DBpath).sort();
      for (const [i, [, damage]] of damages.entries()) {
        damage(join(server.folders.DBpath, roots[i] ?? '', 'end/0/endInfo'));
        damage(join(server.folders.DBpath, roots[i] ?? '', 'cmd'));
      }
      if (!keepIndex) rmSync(join(workFolderOf(server), 'index.jsonl'));
      await server.restart();
      for (const jid of jids) expect(await statesOf(server, jid)).toHaveLength(1);
      expect((await resultOf(server, jids.at(-1) ?? '')).stdout).toEqual([`${damages.length}\n`]);
      await said(server, /not readable and was moved aside/);
      await untilEnded(server, await runJob(server, 'echo more'));
      await endServer(server);
    },
  );

  it.each([
    ['half a line at the end', '\n{"root":"2026'],
    ['half a line that ends like a whole one', '\n{"root":"x","jid":"}'],
    ['other bytes', '\0\0\0\0'],
  ])('with an index of %s knows every job', async (_what, bytes) => {
    const { server, jids } = await startAndEnd(2);
    appendFileSync(join(workFolderOf(server), 'index.jsonl'), bytes);
    await server.restart();
    for (const jid of jids) expect(await statesOf(server, jid)).toEqual(['finishedSuccessfully']);
    const later = await runJob(server, 'echo later');
    await untilEnded(server, later);
    await server.stop();
    await server.restart();
    expect(await statesOf(server, later)).toEqual(['finishedSuccessfully']);
    await endServer(server);
  });

  it.each<[what: string, damage: (server: TestServer, root: string) => void]>([
    ['an index that is a folder', (server) => replaceBy(index(server), mkdirSync)],
    ['an index that is a pipe', (server) => replaceBy(index(server), makePipe)],
    [
      'drafts that are a file',
      (server) => replaceBy(drafts(server), (path) => writeFileSync(path, 'x')),
    ],
    ['a leaf that is a pipe', (server, root) => replaceBy(leaf(server, root), makePipe)],
    ['a journal that is a folder', (server, root) => mkdirSync(journal(server, root))],
    ['a journal that is a pipe', (server, root) => makePipe(journal(server, root))],
    [
      'a journal of other JSON',
      (server, root) => writeFileSync(journal(server, root), '{"request":5}\nnull\n{"part":0}\n'),
    ],
    [
      'a log of the runner that is a folder',
      (server) => replaceBy(join(spoolOf(server), 'runner.log'), mkdirSync),
    ],
  ])('with %s knows every job and runs more', async (_what, damage) => {
    const { server, jids } = await startAndEnd(3);
    const [, root = ''] = readdirSync(server.folders.DBpath).sort();
    damage(server, root);
    await server.restart();
    for (const jid of jids) expect(await statesOf(server, jid)).toEqual(['finishedSuccessfully']);
    const stdout = await server.request('GET', `/api/v1/${root}/stdout`);
    expect(stdout.text).toBe('1\n');
    const later = await untilEnded(server, await runJob(server, 'echo later'));
    expect(later).toMatchObject({ returncode: [0], stdout: ['later\n'] });
    await endServer(server);
  });

  it('passes over damaged lines among the jobs that wait, and runs the others', async () => {
    const { server, gate, jids } = await startAndKillWithWaiting();
    const [name = ''] = readdirSync(acceptedOf(server));
    const file = join(acceptedOf(server), name);
    const [first = '', second = '', third = ''] = readFileSync(file, 'utf8').split('\n');
    const bytes = [first, `${second.slice(0, 50)}\0${second.slice(51)}`, '{}', third, '{"job":"2'];
    writeFileSync(file, bytes.join('\n'));
    await server.restart();
    await said(server, /lines of accepted jobs are damaged/);
    const more = await runJob(server, 'echo more');
    gate.open();
    for (const jid of [jids[0], jids[2], more]) {
      expect(await untilEnded(server, jid)).toMatchObject({ returncode: [0] });
    }
    // Its record may have been written by then.
    expect([[], ['lost']]).toContainEqual(await statesOf(server, jids[1]));
    await endServer(server);
  });

  it.each<[what: string, damage: (path: string) => void]>([
    ['a folder', mkdirSync],
    ['a pipe', makePipe],
    ['missing', () => undefined],
  ])('goes on when the file of the jobs that wait is %s', async (_what, damage) => {
    const { server, gate } = await startAndKillWithWaiting();
    const [name = ''] = readdirSync(acceptedOf(server));
    replaceBy(join(acceptedOf(server), name), damage);
    await server.restart();
    gate.open();
    const later = await untilEnded(server, await runJob(server, 'echo later'));
    expect(later).toMatchObject({ returncode: [0], stdout: ['later\n'] });
    await endServer(server);
  });

  it('passes over a half-written line of a journal, and over half a request', async () => {
    const server = await startServer();
    const gate = makeGate(server);
    const jid = await runJob(server, `${gate.wait} && echo through;echo second`);
    await eventually(async () => (await statesOf(server, jid))[0] === 'started');
    await server.kill9();
    const [root = ''] = readdirSync(spoolOf(server)).filter((name) => /^\d/.test(name));
    appendFileSync(join(spoolOf(server), root, 'job.jsonl'), '{"part":0,"end":{"endedAt"');
    const half = join(
      spoolOf(server),
      root.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    );
    mkdirSync(half);
    writeFileSync(join(half, 'job.jsonl'), '{"request":{"parts":["echo n');
    await server.restart();
    expect(existsSync(half)).toBe(false);
    gate.open();
    const expected = { returncode: [0, 0], stdout: ['through\n', 'second\n'] };
    expect(await untilEnded(server, jid)).toMatchObject(expected);
    await server.kill9();
    await server.restart();
    expect(await resultOf(server, jid)).toMatchObject(expected);
    await endServer(server);
  });
});
