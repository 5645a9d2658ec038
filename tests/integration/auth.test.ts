import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Child } from '../helpers/child.ts';
import { Wire } from '../helpers/http.ts';
import { command, endServer, replyOf } from '../helpers/pman.ts';
import { said } from '../helpers/said.ts';
import {
  builtProgram,
  type Folders,
  makeFolders,
  startServer,
  type TestServer,
} from '../helpers/startServer.ts';

const TOKEN = 'tok-9f8e7d6c5b4a';
const SECOND = 'Zweites#Token;mit=allem%';

/** Every file below a folder with its content. */
function filesBelow(folder: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    if (statSync(path).isFile()) found.set(name, readFileSync(path, 'latin1'));
  }
  return found;
}

describe('with --enableTokenAuth', () => {
  let server: TestServer;
  let folders: Folders;
  beforeAll(async () => {
    folders = makeFolders();
    const tokens = join(folders.home, 'tokens.cfg');
    writeFileSync(
      tokens,
      `# who may\n[OTHER]\nx = not-a-token\n[AUTH TOKENS]\nme = ${TOKEN}\nyou=${SECOND}\nshe = Schlüssel✓\n`,
    );
    server = await startServer({
      folders,
      flags: [
        ...['--enableTokenAuth', '--tokenPath', tokens, '--listeners', '2', '--verbosity', '2'],
        ...['--debugToFile', '--debugFile', join(folders.root, 'log/debug.log')],
      ],
    });
  });
  afterAll(() => endServer(server));

  const touch = (name: string) =>
    command('run', { cmd: `touch '${join(folders.cwd, name)}'`, auid: 'a', jid: name });
  const send = (authorization: string | undefined, name: string) =>
    server.request('POST', '/api/v1/cmd', {
      body: touch(name),
      headers: authorization === undefined ? {} : { Authorization: authorization },
    });

  it.each([
    ['bearer', `bearer ${TOKEN}`],
    ['Bearer', `Bearer ${TOKEN}`],
    ['Basic', `Basic ${TOKEN}`],
    ['no scheme', TOKEN],
    ['blanks around', `  Bearer   \t ${TOKEN}  `],
    ['the other token, of odd characters', `Bearer ${SECOND}`],
  ])('lets in who knows a token: %s', async (what, authorization) => {
    expect((await send(authorization, `in-${what}`)).status).toBe(200);
    expect(readdirSync(folders.cwd)).toContain(`in-${what}`);
  });

  it.each(['AUTHORIZATION', 'authorization', 'aUtHoRiZaTiOn'])(
    'takes the header name as %s',
    async (name) => {
      const answer = await server.request('GET', '/api/v1', {
        headers: { [name]: `Bearer ${TOKEN}` },
      });
      expect(answer.status).toBe(200);
    },
  );

  it.each([
    ['no header', undefined],
    ['nothing in it', ''],
    ['the scheme alone', 'Bearer'],
    ['an unknown token', 'Bearer nobody'],
    ['a token of another section', 'Bearer not-a-token'],
    ['the name of a token', 'Bearer me'],
    ['the beginning of a token', `Bearer ${TOKEN.slice(0, -1)}`],
    ['more than a token', `Bearer ${TOKEN}x`],
    ['a token and a word', `Bearer ${TOKEN} x`],
    ['another case', `Bearer ${TOKEN.toUpperCase()}`],
    ['the token cut at its comment sign', 'Bearer Zweites'],
    ['true', 'Bearer true'],
    ['undefined', 'Bearer undefined'],
    ['10 kB', `Bearer ${'x'.repeat(10_000)}`],
    ['two tokens with a comma', `Bearer ${TOKEN},${TOKEN}`],
  ])('refuses %s and executes nothing', async (what, authorization) => {
    const answer = await send(authorization, `out-${what}`);
    expect(answer.status).toBe(401);
    expect(answer.header('www-authenticate')).toMatch(/bearer/i);
    const reply = answer.json() as Record<string, unknown>;
    expect(Object.keys(reply)).toEqual([
      ...['status', 'RESTheader', 'RESTverb', 'action', 'path', 'receivedByServer', 'error'],
    ]);
    expect([reply.status, reply.action]).toEqual([false, '']);
    expect(reply.error).toMatchObject({ code: 'unauthorized' });
    expect(readdirSync(folders.cwd)).not.toContain(`out-${what}`);
  });

  it('takes a token that is not ASCII, and shows other headers in UTF-8', async () => {
    const wire = await Wire.open(server.port);
    await wire.send(
      'GET / HTTP/1.1\r\nHost: x\r\nX-Name: café ✓\r\nAuthorization: Bearer Schlüssel✓\r\n\r\n',
    );
    const answer = await wire.answer();
    wire.destroy();
    expect(answer?.status).toBe(200);
    expect(answer?.json()).toMatchObject({
      receivedByServer: expect.arrayContaining(['X-Name: café ✓\r', 'Authorization: ***\r']),
    });
  });

  it('looks at the real header only', async () => {
    const wire = await Wire.open(server.port);
    const body = JSON.stringify({ ...touch('out-other'), note: `Authorization: Bearer ${TOKEN}` });
    const heads = [
      `X-Authorization: Bearer ${TOKEN}`,
      `Proxy-Authorization: Bearer ${TOKEN}`,
      `X: Authorization: Bearer ${TOKEN}`,
      `Authorization: Bearer nobody\r\nAuthorization: Bearer ${TOKEN}`,
      `Cookie: Authorization=${TOKEN}`,
    ];
    for (const head of heads) {
      await wire.send(
        `POST /?Authorization=Bearer+${TOKEN} HTTP/1.1\r\nHost: x\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      expect((await wire.answer())?.status).toBe(401);
    }
    // Nor in a trailer, or in the request before on the same connection.
    await wire.send(`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: ${TOKEN}\r\n\r\n`);
    expect((await wire.answer())?.status).toBe(200);
    await wire.send(
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n` +
        `${body.length.toString(16)}\r\n${body}\r\n0\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
    );
    expect((await wire.answer())?.status).toBe(401);
    wire.destroy();
    expect(readdirSync(folders.cwd)).not.toContain('out-other');
  });

  it.each(['GET', 'PUT', 'HEAD', 'DELETE', 'POST'])('asks for a token with %s', async (verb) => {
    const answer = await server.request(verb, '/api/v1', { body: command('quit', {}) });
    expect(answer.status).toBe(401);
    expect(server.isRunning).toBe(true);
  });

  it('never tells a token: in no reply, log, database or spool', async () => {
    const headers = {
      Authorization: `Bearer ${TOKEN}`,
      'X-Auth-Token': TOKEN,
      'Proxy-Authorization': `Bearer ${TOKEN}`,
      Cookie: `session=${TOKEN}`,
    };
    const asked = [
      await server.request('GET', '/api/v1', { headers }),
      await server.request('GET', '/api/v1/nosuch', { headers }),
      await server.request('POST', '/', {
        headers,
        body: command('run', { cmd: 'env', auid: 'a', jid: 'e' }),
      }),
      await server.request('POST', '/', {
        headers,
        body: command('result', { key: 'jid', value: 'e' }),
      }),
      await server.request('POST', '/', { headers, body: command('nosuch', {}) }),
      await server.request('POST', '/', { headers, body: '{' }),
      await server.request('POST', '/', { headers: { ...headers, Authorization: 'x' }, body: '{' }),
      await server.request('GET', `/api/v1?token=${TOKEN}`, { headers }),
      await server.request('GET', `/api/v1?token=${TOKEN}`),
      await server.raw(`GET / HTTP/1.1\r\nAuthorization: ${TOKEN}\r\nbroken\r\n\r\n`),
      await server.raw(`GET / HTTP/1.1\r\nAuthorization: ${TOKEN}\r\n\r\n`),
    ];
    for (const answer of asked) {
      expect(answer?.text).not.toContain(TOKEN);
      expect(answer?.headers.flat().join()).not.toContain(TOKEN);
    }
    const echo = replyOf(asked[0] ?? null) as unknown as { receivedByServer: string[] };
    expect(echo.receivedByServer).toContain('Authorization: ***\r');
    await server.request('POST', '/', { headers, body: command('DBctl', { do: 'save' }) });
    const files = [...filesBelow(folders.root)].filter(([name]) => name !== 'home/tokens.cfg');
    expect(files.map(([name]) => name)).toContain('log/debug.log');
    expect(files.length).toBeGreaterThan(10);
    for (const secret of [TOKEN, SECOND]) {
      expect(files.filter(([, text]) => text.includes(secret)).map(([name]) => name)).toEqual([]);
      expect(server.output.stderr + server.output.stdout).not.toContain(secret);
    }
  });
});

describe('the token file', () => {
  /** Starts a server on that file and says which of these words it takes for tokens. */
  async function accepted(name: string, content: string, words: readonly string[]) {
    const folders = makeFolders();
    const file = join(folders.home, name);
    writeFileSync(file, content);
    const server = await startServer({
      folders,
      flags: ['--enableTokenAuth', `--tokenPath=${file}`],
    });
    const good: string[] = [];
    for (const word of words) {
      const headers = { Authorization: `Bearer ${word}` };
      if ((await server.request('GET', '/', { headers })).status === 200) good.push(word);
    }
    await endServer(server);
    return good;
  }

  it.each(['tokens.cfg', 'tokens.ini', 'tokens.cfg.bak'])(
    '%s is read as Python reads ini files',
    async (name) => {
      const content = [
        '[DEFAULTS]\nz = wrong-section\n[AUTH TOKENS]\n# c = comment1\n; d = comment2',
        'colon: by-colon\nequals =  by-equals  \nhash = a#b\nsemi = a;b\nquoted = "q"\nUPPER = UP',
        'percent = 50%\nlist[] = listed\n__proto__ = proto\n\n[NEXT]\na = next-section\n',
      ].join('\n');
      const right = ['by-colon', 'by-equals', 'a#b', 'a;b', '"q"', 'UP', '50%', 'listed', 'proto'];
      const wrong = [
        'wrong-section',
        'comment1',
        'comment2',
        'a',
        'q',
        'true',
        'next-section',
        'colon:',
      ];
      expect(await accepted(name, content, [...right, ...wrong])).toEqual(right);
    },
  );

  it('of any other name has a token a line', async () => {
    const content = 'first\r\n  second  \n\n[AUTH TOKENS]\nx = third\nlast';
    const words = ['first', 'second', 'last', 'third', 'x', ''];
    expect(await accepted('secret', content, words)).toEqual(
      ['first', 'second', 'last', 'third'].filter((w) => w !== 'third'),
    );
  });

  it.each([
    ['is missing', 'nosuch.cfg', undefined],
    ['has no section', 'a.cfg', 'x = y\n'],
    ['has an empty section', 'a.cfg', '[AUTH TOKENS]\n\n[X]\ny = z\n'],
    ['has a key without a value', 'a.ini', '[AUTH TOKENS]\ntoken\n'],
    ['has only empty values', 'a.ini', '[AUTH TOKENS]\ntoken =\n'],
    ['is empty', 'plain', ' \n\n'],
    ['is a folder', '', undefined],
  ])('that %s keeps pman from starting, with one sentence', async (_what, name, content) => {
    const folders = makeFolders();
    const file = join(folders.home, name);
    if (content !== undefined) writeFileSync(file, content);
    const flags = [
      '--port',
      '0',
      '--DBpath',
      folders.DBpath,
      '--directiveFile',
      folders.directiveFile,
    ];
    const child = new Child(
      [...builtProgram('pman'), ...flags, '--enableTokenAuth', '--tokenPath', file],
      { cwd: folders.cwd, env: { ...process.env, HOME: folders.home } },
    );
    const { code } = await child.within(5000);
    expect([1, 2]).toContain(code);
    expect(child.output.stderr).toMatch(/^pman: [^\n]*(token|\.cfg)[^\n]*\npman: [^\n]+\n$/);
  });
});

describe('without tokens', () => {
  it('pman listens on loopback only and warns', async () => {
    const folders = makeFolders();
    const server = await startServer({
      folders,
      ownFlags: () => [
        ...['--port', '0', '--DBpath', folders.DBpath, '--directiveFile', folders.directiveFile],
      ],
    });
    expect(server.output.stderr).toMatch(/listening on tcp:\/\/127\.0\.0\.1:\d+/);
    await said(server, /warn.*token authentication is off.*--enableTokenAuth/);
    expect((await server.request('GET', '/')).status).toBe(200);
    await endServer(server);
  });
});
