import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '../helpers/answer.ts';
import { Child } from '../helpers/child.ts';
import { eventually } from '../helpers/eventually.ts';
import { Wire } from '../helpers/http.ts';
import { command, endServer, type Reply, replyOf } from '../helpers/pman.ts';
import {
  builtProgram,
  type Folders,
  makeFolders,
  startServer,
  type TestServer,
} from '../helpers/startServer.ts';

/** Starts pman with these words. */
const start = (words: readonly string[]): Child => {
  const env = { ...process.env, PMAN_TOKENPATH: undefined };
  return new Child([...builtProgram('pman'), ...words], { cwd: process.cwd(), env });
};

/** Runs `pman token …`; gives what it prints. */
async function token(file: string, ...words: string[]): Promise<string> {
  const child = start(['token', ...words, '--tokenPath', file]);
  const { code } = await child.exited;
  if (code !== 0) throw new Error(child.output.stderr);
  return child.output.stdout.trim();
}

describe('a pman with tokens', () => {
  let folders: Folders;
  let file = '';
  let server: TestServer;
  let audit = '';
  const tokens = new Map<string, string>();
  beforeAll(async () => {
    folders = makeFolders();
    file = join(folders.home, 'tokens.cfg');
    audit = join(folders.root, 'audit.log');
    const add = async (name: string, ...words: string[]) =>
      tokens.set(name, await token(file, 'add', name, ...words));
    await add('ops', '--all');
    await add('people', '--all', '--store', 'scrypt');
    await add('viewer', '--scopes', 'read', '--auid', 'chris');
    await add('killer', '--scopes', 'read,kill', '--auid', 'chris');
    await add('runner', '--scopes', 'run,read', '--auid', 'chris', '--command', 'echo *');
    server = await startServer({
      folders,
      flags: ['--enableTokenAuth', '--tokenPath', file, '--auditLog', audit, '--verbosity', '1'],
    });
  });
  afterAll(() => endServer(server));

  const headersOf = (name: string) => ({ Authorization: `Bearer ${tokens.get(name) ?? name}` });
  const act = (name: string, action: string, meta: object): Promise<Answer> =>
    server.request('POST', '/', { body: command(action, meta), headers: headersOf(name) });
  const get = (name: string, path: string): Promise<Answer> =>
    server.request('GET', path, { headers: headersOf(name) });
  const run = (name: string, meta: object): Promise<Answer> =>
    act(name, 'run', { cmd: 'echo hello', auid: 'chris', jid: 'j', ...meta });

  /** What came of a request: its HTTP status and the code of its error. */
  const fateOf = (answer: Answer) => [answer.status, replyOf(answer).error?.code];
  const rootsIn = (answer: Answer): readonly string[] =>
    Object.keys((replyOf(answer).GET ?? {}) as object);

  describe('a token with scopes', () => {
    it('may do what they say, and is told which one it lacks', async () => {
      expect((await get('viewer', '/api/v1')).status).toBe(200);
      const refused: ReadonlyArray<readonly [string, string, object]> = [
        ['run', 'run', { cmd: 'id', auid: 'chris', jid: 'x' }],
        ['kill', 'kill', { key: 'jid', value: 'x' }],
        ['delete', 'kill', { value: 'x' }],
        ['DBctl', 'admin', { do: 'clear' }],
        ['fileiosetup', 'transfer', { serveforever: false }],
        ['quit', 'admin', {}],
      ];
      for (const [action, scope, meta] of refused) {
        const answer = await act('viewer', action, meta);
        expect(fateOf(answer)).toEqual([403, 'forbidden']);
        expect(replyOf(answer).error?.message).toContain(
          `${action}: the token viewer lacks the scope "${scope}"`,
        );
      }
      const put = await server.request('PUT', '/', {
        body: command('run', { context: 'db', operation: 'clear' }),
        headers: headersOf('viewer'),
      });
      expect(fateOf(put)).toEqual([403, 'forbidden']);
      expect((await act('viewer', 'hello', { askAbout: 'health' })).status).toBe(200);
    });

    it('that is not read gets no record and no output', async () => {
      tokens.set('blind', await token(file, 'add', 'blind', '--scopes', 'run'));
      await eventually(async () => (await run('blind', { jid: 'unseen' })).status === 200);
      for (const path of ['/api/v1', '/api/v1?limit=1', '/api/v1/_0', '/api/v1/_0/stdout']) {
        expect(fateOf(await get('blind', path))).toEqual([403, 'forbidden']);
      }
      expect((await get('blind', '/api/v1/hello')).status).toBe(200);
    });
  });

  describe('a token with an auid', () => {
    let root = '';
    beforeAll(async () => {
      await run('ops', { auid: 'bob', jid: 'of-bob', cmd: 'echo secret' });
      await run('runner', { jid: 'of-chris' });
      root = rootsIn(await get('ops', '/api/v1?jid=of-bob'))[0] ?? '';
      expect(root).not.toBe('');
    });

    it('acts for nobody else', async () => {
      expect(fateOf(await run('runner', { auid: 'bob' }))).toEqual([403, 'forbidden']);
      const kill = { key: 'jid', value: 'of-chris', auid: 'bob' };
      expect(fateOf(await act('killer', 'kill', kill))).toEqual([403, 'forbidden']);
    });

    it('finds no job of others, by whatever it asks', async () => {
      const all = rootsIn(await get('viewer', '/api/v1'));
      expect(all).not.toContain(root);
      expect(rootsIn(await get('viewer', '/api/v1?limit=100'))).toEqual(all);
      expect(rootsIn(await get('viewer', '/api/v1?auid=bob'))).toEqual([]);
      for (const path of ['', '/stdout', '/stderr', '/output', '/0/stdout', '/stdout?follow=1']) {
        const answer = await get('viewer', `/api/v1/${root}${path}`);
        expect([path, ...fateOf(answer)]).toEqual([path, 404, 'not_found']);
      }
      const places = [
        `/api/v1/${root}/cmd`,
        `/api/v1/${root}/start/0`,
        '/api/v1/_1',
        '/api/v1/_-1',
      ];
      for (const path of places) expect((await get('viewer', path)).text).not.toContain('secret');
      const by = { key: 'jid', value: 'of-bob' };
      for (const action of ['status', 'done', 'info', 'search']) {
        const { status, text } = await act('viewer', action, by);
        expect([action, status, JSON.parse(text).status]).toEqual([action, 200, false]);
      }
      expect(fateOf(await act('viewer', 'result', by))).toEqual([404, 'not_found']);
      expect((await act('viewer', 'get', { path: `/${root}/cmd` })).text).not.toContain('secret');
      expect(fateOf(await act('killer', 'kill', by))).toEqual([404, 'not_found']);
      expect(fateOf(await act('killer', 'delete', { value: 'of-bob' }))).toEqual([
        404,
        'not_found',
      ]);
      expect(rootsIn(await get('ops', '/api/v1?jid=of-bob'))).toEqual([root]);
    });

    it('sees its own', async () => {
      const [own] = rootsIn(await get('viewer', '/api/v1?jid=of-chris'));
      expect((await get('viewer', `/api/v1/${own}/stdout`)).text).toBe('hello\n');
      expect((await get('viewer', '/api/v1/_0/stdout')).text).toBe('hello\n');
      const result = await act('viewer', 'result', { key: 'auid', value: 'chris' });
      expect(replyOf(result).d_ret).toMatchObject({ 0: { stdout: ['hello\n'] } });
    });

    it('is not told which job of others has its key', async () => {
      await run('ops', { auid: 'bob', jid: 'keyed', key: 'one-key' });
      const answer = await run('runner', { jid: 'mine', key: 'one-key' });
      expect(fateOf(answer)).toEqual([409, 'conflict']);
      expect(replyOf(answer).error?.message).toBe('the key stands for another job');
    });
  });

  describe('a token with commands', () => {
    it.each([
      ['echo a; echo b', {}],
      ['echo', { timeout: 10 }],
    ])('runs %j', async (cmd, meta) => {
      expect((await run('runner', { cmd, ...meta })).status).toBe(200);
    });

    it.each([
      ...['id', 'echo $(touch x)', 'echo a; touch x', 'echo a\ntouch x', 'echo a > x', 'echo `id`'],
    ])('does not run %j', async (cmd) => {
      expect(fateOf(await run('runner', { cmd }))).toEqual([403, 'forbidden']);
      expect(existsSync(join(folders.cwd, 'x'))).toBe(false);
    });

    it.each([
      { env: { PATH: '/tmp' } },
      { cwd: '/tmp' },
      { ssh: 'a@b' },
      { container: { target: { image: 'x' } } },
    ])('does not run them with %j', async (meta) => {
      expect(fateOf(await run('runner', meta))).toEqual([403, 'forbidden']);
    });
  });

  describe('a token that is revoked', () => {
    it('stops at once, with the streams and the waiting runs that it has', async () => {
      const name = 'leaver';
      tokens.set(name, await token(file, 'add', name, '--scopes', 'run,read'));
      const gate = join(folders.cwd, 'gate');
      const cmd = `echo begun; until [ -e '${gate}' ]; do sleep 0.05; done; echo done`;
      await eventually(
        async () => (await run(name, { jid: 'long', cmd, threaded: true })).status < 300,
      );
      const [root] = rootsIn(await get(name, '/api/v1?jid=long'));
      const waiting = run(name, { jid: 'waited', cmd });
      const stream = await Wire.open(server.port);
      await stream.send(
        `GET /api/v1/${root}/stdout?follow=1 HTTP/1.1\r\nHost: x\r\n` +
          `Authorization: Bearer ${tokens.get(name)}\r\n\r\n`,
      );
      const follower = stream.settled(30_000);
      await eventually(async () => rootsIn(await get('ops', '/api/v1?jid=waited')).length > 0);
      expect(await token(file, 'revoke', name)).toBe('leaver is revoked');
      expect(fateOf(await waiting)).toEqual([401, 'unauthorized']);
      expect(await follower).not.toBe('open');
      expect(fateOf(await get(name, '/api/v1'))).toEqual([401, 'unauthorized']);
      // Its jobs go on.
      writeFileSync(gate, '');
      await eventually(
        async () => (await get('ops', `/api/v1/${root}/stdout`)).text === 'begun\ndone\n',
      );
      stream.destroy();
    });
  });

  describe('a token of which the file has a hash only', () => {
    it('is not shown in an answer, wherever it stood in the request', async () => {
      const secret = tokens.get('people') ?? '';
      const { text } = await act('people', 'hello', {
        askAbout: 'echoBack',
        echoBack: 'x',
        secret,
      });
      const echoed = JSON.parse(text) as Reply & { receivedByServer: string[] };
      expect(echoed.receivedByServer.join()).toContain('***');
      expect(echoed.receivedByServer.join()).not.toContain(secret);
    });

    it('is listed without it, and without its hash', async () => {
      const listed = await token(file, 'list');
      expect(listed).toMatch(/^runner +sha256 +run,read +auid: chris; commands: echo \*$/m);
      expect(listed).toMatch(/^people +scrypt +all$/m);
      expect(listed).not.toMatch(/[0-9a-f]{20}/);
    });
  });

  describe('a slow hash', () => {
    it('holds up no answer that comes before, and mixes up none behind', async () => {
      const secret = await token(file, 'add', 'slow', '--all', '--store', 'scrypt');
      await eventually(async () => (await get(secret, '/api/v1/hello')).status === 200);
      await token(file, 'revoke', 'slow');
      await eventually(async () => (await get(secret, '/api/v1/hello')).status === 401);
      // The file has changed: of both tokens a hash has to be made again.
      const wire = await Wire.open(server.port);
      const ask = (path: string, who: string) =>
        `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${who}\r\n\r\n`;
      const people = tokens.get('people') ?? '';
      const ops = tokens.get('ops') ?? '';
      await wire.send(ask('/api/v1/a', people) + ask('/api/v1/b', ops) + ask('/api/v1/c', people));
      const paths: unknown[] = [];
      for (let i = 0; i < 3; i += 1) {
        paths.push(Reflect.get(Object((await wire.answer())?.json()), 'path'));
      }
      expect(paths).toEqual(['/api/v1/a', '/api/v1/b', '/api/v1/c']);
      wire.destroy();
    });
  });

  describe('who guesses', () => {
    it('from another address shuts out no weak token that comes from here', async () => {
      const weak = 'weak-one';
      writeFileSync(file, `${readFileSync(file, 'utf8')}\n[AUTH TOKENS]\nweak = ${weak}\n`);
      const from = (address: string, who: string) =>
        new Promise<number | undefined>((resolve, reject) => {
          const options = { port: server.port, localAddress: address, agent: false };
          httpGet({ ...options, headers: { Authorization: `Bearer ${who}` } }, (answer) => {
            answer.resume();
            resolve(answer.statusCode);
          }).on('error', reject);
        });
      await eventually(async () => (await from('127.0.0.4', weak)) === 200);
      for (let i = 0; i < 60; i += 1) await from('127.0.0.9', `guess-there-${i}`);
      expect(await from('127.0.0.9', weak)).toBe(429);
      expect(await from('127.0.0.4', weak)).toBe(200);
      expect(await from('127.0.0.5', weak)).toBe(200);
    });

    it('has to wait, and shuts out nobody with a strong token', async () => {
      const answers: Answer[] = [];
      for (let i = 0; i < 60; i += 1) answers.push(await get(`guess-${i}`, '/api/v1'));
      const last = answers.at(-1);
      expect(last && fateOf(last)).toEqual([429, 'too_many_tries']);
      expect(Number(last?.header('retry-after'))).toBeGreaterThan(0);
      expect(last?.text).not.toContain('guess');
      expect((await get('ops', '/api/v1')).status).toBe(200);
      expect((await server.request('GET', '/api/v1')).status).toBe(401);
    });
  });

  describe('--auditLog', () => {
    it('tells who did what from where to which job, and no secrets', async () => {
      const root = rootsIn(await get('ops', '/api/v1?jid=of-chris'))[0];
      await run('ops', { jid: 'env', env: { HIDDEN: 'hidden-value' }, cmd: 'echo hidden-command' });
      const lines = await eventually(() => {
        const all = readFileSync(audit, 'utf8').trim().split('\n');
        return all.some((line) => line.includes('"jid":"env"')) && all;
      });
      const deeds = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(deeds).toContainEqual({
        ...{ time: expect.any(String), program: 'pman', token: 'runner', from: '127.0.0.1' },
        ...{ action: 'run', jobs: [root], jid: 'of-chris', auid: 'chris', status: 200 },
      });
      expect(deeds).toContainEqual(
        expect.objectContaining({
          token: 'viewer',
          action: 'quit',
          status: 403,
          error: 'forbidden',
        }),
      );
      expect(deeds).toContainEqual(
        expect.objectContaining({
          token: null,
          from: expect.stringMatching(/^127\.0\.0\.\d$/),
          error: expect.stringMatching(/^(unauthorized|too_many_tries)$/),
        }),
      );
      for (const secret of ['hidden', 'Bearer', 'guess-', ...tokens.values()]) {
        expect(lines.join('\n')).not.toContain(secret);
      }
      expect(statSync(audit).mode & 0o777).toBe(0o600);
    });

    it('leaves no token anywhere on the disk', () => {
      for (const name of readdirSync(folders.root, { recursive: true, encoding: 'utf8' })) {
        const path = join(folders.root, name);
        if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
        const content = readFileSync(path, 'latin1');
        for (const [who, secret] of tokens) {
          // What a client writes into a request of its own is in the record.
          if (who !== 'people') expect([name, content.includes(secret)]).toEqual([name, false]);
        }
      }
    });
  });
});

describe('pman', () => {
  const startWith = (mode: number) => {
    const own = makeFolders();
    const path = join(own.home, 'tokens');
    writeFileSync(path, 'letmein\n');
    chmodSync(path, mode);
    const child = start([
      ...['--port', '0', '--DBpath', own.DBpath, '--ip', '127.0.0.1'],
      ...['--enableTokenAuth', '--tokenPath', path, '--directiveFile', own.directiveFile],
    ]);
    return { child, path };
  };

  it('does not start with a token file that others can write', async () => {
    const { child, path } = startWith(0o666);
    const { code } = await child.exited;
    expect(code).toBe(2);
    expect(child.output.stderr).toBe(
      `pman: others can write the tokens in ${path} (mode 666)\npman: chmod go-w ${path}\n`,
    );
  });

  it('warns of one that others can read, and of tokens that can be guessed', async () => {
    const { child, path } = startWith(0o644);
    await eventually(() => child.output.stderr.includes('listening'));
    expect(child.output.stderr).toContain(`others can read the tokens in ${path}`);
    expect(child.output.stderr).toMatch(/the token line 1 can be guessed: about 32 bits/);
    expect(child.output.stderr).not.toContain('letmein');
    child.kill('SIGTERM');
    await child.exited;
  });

  it.each([
    [['token', 'add', 'x'], 'say --scopes, or --all'],
    [['token', 'add', 'x', '--scopes', 'all'], 'no scope "all"'],
    [['token', 'sell'], 'there are add, list and revoke'],
    [['tokens'], 'near it: token'],
  ])('%j is wrong use', async (words, message) => {
    const path = join(makeFolders().home, 't.cfg');
    const child = start([...words, '--tokenPath', path]);
    expect((await child.exited).code).toBe(2);
    expect(child.output.stderr).toContain(message);
    expect(existsSync(path)).toBe(false);
  });
});
