import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { within } from '../helpers/patience.ts';
import {
  act,
  endServer,
  expectListener,
  replyOf,
  resultOf,
  resultsOf,
  runJob,
  untilEnded,
} from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

describe('a server with one listener', () => {
  let server: TestServer;
  let outside: string;
  let jid: string;
  let root: string;
  beforeAll(async () => {
    const folders = makeFolders();
    const flags = ['--listeners', '1', '--exportPath', folders.root];
    server = await startServer({ folders, flags });
    outside = tempDir('pman-outside');
    jid = await runJob(server, 'echo one; echo two');
    root = (await untilEnded(server, jid)).jobRoot;
  });
  afterAll(async () => {
    await expectListener(server);
    await endServer(server);
  });

  const get = async (path: string) => {
    const answer = await server.request('GET', path);
    expect([200, 400, 404]).toContain(answer.status);
    return replyOf(answer);
  };
  const control = (operation: string, dbpath: string) =>
    act(server, 'DBctl', { do: operation, dbpath });

  describe('GET', () => {
    it.each([
      ...['..', '../..', '../../etc/passwd', '_0/../..', '_0/../../etc/passwd', '.', '_0/./jid'],
      ...['%2e%2e', '..%2f..%2fetc%2fpasswd', '..\\..', '_0/d_meta/../cmd', 'etc/passwd'],
      ...['__proto__', 'constructor', '_0/__proto__', '_0/constructor/name', '_0/toString'],
      ...[
        '_0/end/0/endInfo/__proto__',
        '_0/end/0/endInfo/0/constructor',
        '_0/end/0/endInfo/0/cmd/length',
      ],
      ...['_0/start/0/startInfo/0/stdout/0', '_0/end/length', '_0/end/size', '_0/jobCount/1'],
      ...[`${'a/'.repeat(3000)}b`, 'x'.repeat(8000), '%00', '%', '%zz', '_0/%00', '~', '*'],
    ])('of %j finds nothing', async (path) => {
      const { GET, error } = await get(`/api/v1/${path}`);
      if (error === undefined) expect(JSON.stringify(GET)).toMatch(/false}*$/);
      else expect(error.code).toMatch(/^(not_found|bad_request)$/);
    });

    it.each([
      ...[
        '',
        '-',
        '+',
        '1',
        '-2',
        '99',
        '-99',
        '1e0',
        '0.0',
        '0x0',
        ' 0',
        '00000000000000000000',
        'NaN',
      ],
      ...[
        '99999999999999999999',
        '-99999999999999999999',
        '9007199254740993',
        'Infinity',
        '١',
        '__',
      ],
    ])('of _%s finds no job', async (index) => {
      const { status, GET } = await get(`/api/v1/_${encodeURIComponent(index)}/jid`);
      expect([status, GET]).toEqual([true, false]);
    });

    it.each(['0', '-1', '+0', '-0', '000'])('of _%s finds the only job', async (index) => {
      const { GET } = await get(`/api/v1/_${index}/jid`);
      expect(GET).toEqual({ [root]: { jid } });
    });

    it('reaches into the JSON of a leaf, and gives values that are false or empty', async () => {
      const inside = async (path: string) => (await get(`/api/v1/_0/${path}`)).GET;
      expect(await inside('end/0/endInfo/0/stdout')).toEqual({
        [root]: { end: { 0: { endInfo: { 0: { stdout: 'one\n' } } } } },
      });
      expect(await inside('end/0/endInfo/0/stderr')).toEqual({
        [root]: { end: { 0: { endInfo: { 0: { stderr: '' } } } } },
      });
      expect(await inside('end/0/endInfo/0/started')).toEqual({
        [root]: { end: { 0: { endInfo: { 0: { started: false } } } } },
      });
    });

    it.each(['/', '//', '///', '/api', '/api/', '/api/v1', '/api/v1/', '/api/v1//', '/a/b', '/?'])(
      'of %s lists the jobs',
      async (path) => expect(Object.keys((await get(path)).GET as object)).toEqual([root]),
    );
  });

  describe('search', () => {
    it.each([
      ['a key with ..', { key: '../../../etc/passwd', value: 'x' }],
      ['a key that is a folder', { key: 'end', value: 'x' }],
      ['a key of a prototype', { key: '__proto__', value: {} }],
      ['a key of the prototype', { key: 'constructor', value: 'x' }],
      ['a key of 10 kB', { key: 'x'.repeat(10_000), value: 'x' }],
      ['a key of a slash', { key: '/', value: 'x' }],
      ['a missing leaf that is sought as false', { key: 'nosuch', value: false }],
      ['the value 1 for "1"', { key: 'jobCount', value: '2' }],
      ['an object', { key: 'jid', value: { $ne: '' } }],
      ['an array', { key: 'jid', value: [jid] }],
    ])('finds nothing by %s', async (_what, meta) => {
      const answer = await act(server, 'search', meta);
      expect([answer.status, replyOf(answer).d_ret]).toEqual([200, {}]);
    });

    it('refuses a path of 100,000 pieces', async () => {
      const path = '/a'.repeat(100_000);
      const answer = await act(server, 'search', { key: 'jid', value: jid, path });
      expect([answer.status, replyOf(answer).error?.code]).toEqual([400, 'bad_request']);
    });

    it.each([
      ['a path with ..', { path: '/../../etc/passwd' }],
      ['a job that is a path', { job: '../../0', field: 'stdout' }],
      ['a job far away', { job: 10 ** 15, field: 'stdout' }],
      ['a field of a prototype', { job: '0', field: '__proto__' }],
      ['a when that is none', { job: '0', when: '../end', field: 'stdout' }],
    ])('finds false by %s', async (_what, meta) => {
      const answer = await act(server, 'search', { key: 'jid', value: jid, ...meta });
      expect(JSON.stringify(replyOf(answer).d_ret)).toMatch(/false}+$/);
    });
  });

  describe('a jid', () => {
    it.each([
      ['10 kB long', 'j'.repeat(10_000)],
      ['of many scripts', 'Ünïcödé 中文 😀 \u202e abc'],
      ['with half a surrogate', 'a\ud800b'],
      ['a path', '../../../../tmp/evil'],
      ['a prototype key', '__proto__'],
      ['with line ends', 'a\r\nSet-Cookie: b\n'],
      ['a command', '$(touch evil); `touch evil`'],
      ['blank', '   '],
      ['a jobs name', '_0'],
    ])('may be %s', async (_what, odd) => {
      await runJob(server, 'echo odd', { jid: odd });
      expect((await untilEnded(server, odd)).stdout).toEqual(['odd\n']);
    });

    it('may be empty; the record then has none', async () => {
      expect((await server.post('run', { cmd: 'true', auid: '', jid: '' })).status).toBe(true);
      expect(replyOf(await act(server, 'search', { key: 'jid', value: '' })).d_ret).toEqual({});
    });

    it.each([
      ['5', '5'],
      ['-7', '-7'],
      ['12345678901234567890', '12345678901234567890'],
      ['1e3', undefined],
      ['1.0', undefined],
    ])('may be an integer: %s', async (number, text) => {
      const body = `{"payload": {"action": "run", "meta": {"cmd": "echo n", "auid": "a", "jid": ${number}}}}`;
      const answer = await server.request('POST', '/', { body });
      expect(answer.status).toBe(text === undefined ? 400 : 200);
      if (text !== undefined) expect((await resultOf(server, text)).stdout).toEqual(['n\n']);
    });

    it('may be that of several jobs', async () => {
      for (const cmd of ['echo a', 'exit 3', 'echo c']) {
        await server.post('run', { cmd, auid: 'x', jid: 'shared' });
      }
      const results = await resultsOf(server, 'shared');
      expect(results.map(({ stdout }) => stdout[0])).toEqual(['a\n', '', 'c\n']);
      const { d_ret } = await server.post('status', { key: 'jid', value: 'shared' });
      expect((d_ret as { l_status: unknown }).l_status).toEqual([
        'finishedSuccessfully',
        'finishedWithError',
        'finishedSuccessfully',
      ]);
    });
  });

  describe('a command', () => {
    it('may be longer than the 128 KiB that one argument may have', async () => {
      const length = 300_000;
      const long = await runJob(server, `printf %s '${'x'.repeat(length)}' | wc -c`);
      expect((await untilEnded(server, long)).stdout[0]?.trim()).toBe(String(length));
    });

    it('may have 10,000 parts, and others are served meanwhile', async () => {
      const started = performance.now();
      const many = await runJob(
        server,
        Array.from({ length: 10_000 }, (_, i) => `echo ${i}`).join(';'),
      );
      expect(performance.now() - started).toBeLessThan(within(4000));
      const { stdout, returncode } = await untilEnded(server, many);
      expect(stdout.join('').trim().split('\n').at(-1)).toBe('9999');
      expect(returncode.every((code) => code === 0)).toBe(true);
    });

    it.each([
      ['unbalanced quotes', "echo 'open", 2],
      ['nothing', '', 0],
      ['only blanks', '   ', 0],
      ['only separators', ';;;', 2],
      ['a program that is not there', '/no/such/program', 127],
      ['brackets without end', '('.repeat(5000), 2],
      ['substitutions without end', '$('.repeat(2000), 2],
    ])('of %s ends with its exit code', async (_what, cmd, code) => {
      const { returncode, status } = await untilEnded(server, await runJob(server, cmd));
      expect(returncode.at(-1)).toBe(code);
      expect(status).toBe(code === 0 ? 'finishedSuccessfully' : 'finishedWithError');
    });

    it('gets its parts as they are, quotes and all', async () => {
      const cmd = 'echo "a;b" ; echo \'c;d\';echo $((1;)) 2>/dev/null; echo "é;$(echo x;echo y)"';
      const { stdout } = await untilEnded(server, await runJob(server, cmd));
      expect(stdout.join('')).toContain('a;b\nc;d\n');
      expect(stdout.join('')).toContain('é;x\ny\n');
    });
  });

  describe('dbpath', () => {
    it.each([
      ...['/', '/etc', '/etc/cron.d/x', '..', '../x', '../../etc', 'a/../../x', './..', '.', ''],
      ...['//etc', '/proc/self/root/etc/x'],
    ])('%j is refused: it is outside', async (dbpath) => {
      for (const operation of ['save', 'load', 'clear']) {
        const answer = await control(operation, dbpath);
        expect([answer.status, replyOf(answer).error?.code]).toEqual([403, 'forbidden']);
        const meta = { context: 'db', operation, dbpath };
        const put = await server.request('PUT', '/', {
          body: { payload: { action: 'run', meta } },
        });
        expect(put.status).toBe(403);
      }
    });

    it.each([
      ['a link to another place', 'link'],
      ['below a link to another place', 'link/copy'],
      ['below a link within', 'folder/link/copy'],
      ['by a link that leads nowhere yet', 'dangling'],
      ['below a link that leads nowhere yet', 'dangling/copy'],
    ])('is refused when it is %s', async (_what, dbpath) => {
      const { root: folder } = server.folders;
      mkdirSync(join(folder, 'folder'), { recursive: true });
      for (const [name, to] of [
        ['link', outside],
        ['folder/link', outside],
        ['dangling', join(outside, 'new')],
      ] as const) {
        try {
          symlinkSync(to, join(folder, name));
        } catch (error) {
          expect((error as NodeJS.ErrnoException).code).toBe('EEXIST');
        }
      }
      for (const operation of ['save', 'load', 'clear']) {
        expect((await control(operation, dbpath)).status).toBe(403);
        expect(readdirSync(outside)).toEqual([]);
      }
    });

    it('is refused when it lies within the database or the spool', async () => {
      const { DBpath } = server.folders;
      for (const place of [
        join(DBpath, 'copy'),
        join(DBpath, root),
        join(DBpath, root, 'end', 'x'),
      ]) {
        for (const operation of ['save', 'load', 'clear']) {
          expect((await control(operation, place)).status).toBe(403);
        }
      }
      for (const place of ['', '/jobs', '/jobs/x', '/drafts']) {
        for (const operation of ['save', 'load', 'clear']) {
          expect((await control(operation, `${DBpath}.spool${place}`)).status).toBe(403);
        }
      }
      expect(readdirSync(DBpath).every((name) => /^\d{14}\.\d+_/.test(name))).toBe(true);
    });

    it.each([
      ['10 kB long', 'x'.repeat(10_000)],
      ['of 10 kB in short pieces', 'x/'.repeat(5000)],
      ['below a file', 'file/copy'],
      ['with a NUL', 'a\0b'],
      ['a file', 'file'],
    ])('is refused when it is %s', async (_what, dbpath) => {
      writeFileSync(join(server.folders.root, 'file'), 'mine');
      for (const operation of ['save', 'load', 'clear']) {
        const answer = await control(operation, dbpath);
        expect([400, 403, 409]).toContain(answer.status);
        expect(replyOf(answer).error?.message).toMatch(/dbpath|folder|database/);
      }
      expect(readFileSync(join(server.folders.root, 'file'), 'utf8')).toBe('mine');
    });

    it('is refused when it holds something else, which stays', async () => {
      const photos = join(server.folders.root, 'photos');
      mkdirSync(photos);
      writeFileSync(join(photos, 'cat.jpg'), 'cat');
      for (const operation of ['save', 'load', 'clear']) {
        const answer = await control(operation, photos);
        expect([answer.status, replyOf(answer).error?.code]).toEqual([409, 'conflict']);
      }
      expect(readdirSync(photos)).toEqual(['cat.jpg']);
    });

    it('saves, loads and clears a copy within the export folder', async () => {
      expect((await control('save', 'copies/first')).status).toBe(200);
      const copy = join(server.folders.root, 'copies/first');
      expect(readdirSync(copy)).toContain(root);
      expect(readFileSync(join(copy, root, 'jid'), 'utf8')).toBe(JSON.stringify(jid));
      const before = Object.keys((await get('/')).GET as object).length;
      await act(server, 'delete', { value: jid });
      expect(Object.keys((await get('/')).GET as object)).toHaveLength(before - 1);
      expect((await control('load', copy)).status).toBe(200);
      expect((await resultOf(server, jid)).stdout).toEqual(['one\n', 'two\n']);
      expect((await control('clear', copy)).status).toBe(200);
      expect(readdirSync(copy)).toEqual([]);
    });
  });

  it('has written nothing beside the database, its spool and the copies asked for', () => {
    expect(readdirSync(outside)).toEqual([]);
    const made = ['copies', 'dangling', 'file', 'folder', 'link', 'photos'];
    const left = readdirSync(server.folders.root).filter((name) => !made.includes(name));
    expect(left.sort()).toEqual(['cwd', 'db', 'db.spool', 'home']);
    expect(readdirSync(server.folders.cwd)).toEqual([]);
    expect(readdirSync(server.folders.home)).toEqual([]);
  });
});
