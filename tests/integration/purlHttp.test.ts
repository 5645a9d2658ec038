import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createNetServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually, Opened } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

function listen(server: Server): Promise<string> {
  opened.onClose(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      resolve(`127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`);
    });
  });
}

const serve = (listener: RequestListener) => listen(createServer(listener));

/** A server that answers with what it was sent. */
function echo(): Promise<string> {
  return serve((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      response.end(
        JSON.stringify({
          method: request.method,
          url: request.url,
          headers: request.headers,
          body,
        }),
      );
    });
  });
}

describe('purl as an HTTP client', () => {
  it('prints the body of a GET as it comes', async () => {
    const address = await serve((_request, response) => response.end('plain {text}'));
    expect(await opened.purl(['--quiet', '--http', `http://${address}/a`])).toEqual({
      code: 0,
      stdout: 'plain {text}',
      stderr: '',
    });
  });

  it('writes the body to a file', async () => {
    const address = await serve((_request, response) => response.end('x'.repeat(100_000)));
    const folder = opened.folder();
    const { code } = await opened.purl(['--quiet', '--http', address, '-o', join(folder, 'out')]);
    expect(code).toBe(0);
    expect(readFileSync(join(folder, 'out'), 'utf8')).toHaveLength(100_000);
  });

  it.each([
    ['breaks off', 18],
    ['is 404', 22],
  ])('leaves the file as it was when the answer %s', async (how, status) => {
    const address = await serve((_request, response) => {
      if (status === 22) response.writeHead(404).end('not found');
      else response.writeHead(200, { 'Content-Length': 10 }).write('new', () => response.destroy());
    });
    const folder = opened.folder();
    writeFileSync(join(folder, 'out'), 'old');
    const { code } = await opened.purl(['--quiet', '--http', address, '-o', join(folder, 'out')]);
    expect({ how, code, content: readFileSync(join(folder, 'out'), 'utf8') }).toEqual({
      how,
      code: status,
      content: 'old',
    });
    expect(readdirSync(folder)).toEqual(['out']);
  });

  it('writes to what is no file, and through a link', async () => {
    const address = await serve((_request, response) => response.end('new'));
    const folder = opened.folder();
    writeFileSync(join(folder, 'real'), 'old');
    symlinkSync('real', join(folder, 'link'));
    for (const to of ['/dev/null', join(folder, 'link')]) {
      expect((await opened.purl(['--quiet', '--http', address, '-o', to])).code).toBe(0);
    }
    expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('new');
    expect(statSync('/dev/null').isFile()).toBe(false);
  });

  it.each(['flag', 'file', 'stdin'])(
    'sends the message from the %s, wrapped, as Python writes JSON',
    async (from) => {
      const address = await echo();
      const text = '{"action":"hello","meta":{"n":1.0,"t":"é"}}';
      const file = join(opened.folder(), 'm.json');
      writeFileSync(file, text);
      const msg = { flag: text, file: `@${file}`, stdin: '-' }[from] ?? '';
      const args = [
        '--quiet',
        '--raw',
        '--jsonwrapper',
        'payload',
        '--auth',
        'u:p',
        '--http',
        address,
        '--msg',
        msg,
      ];
      const { stdout } = await opened.purl(args, { input: text });
      expect(JSON.parse(stdout)).toMatchObject({
        method: 'POST',
        body: '{"payload": {"action": "hello", "meta": {"n": 1.0, "t": "\\u00e9"}}}',
        headers: {
          authorization: 'Basic dTpw',
          'content-type': 'application/x-www-form-urlencoded',
        },
      });
    },
  );

  it('follows redirects, but tells another host no password', async () => {
    const other = await echo();
    const address = await serve((_request, response) =>
      response.writeHead(302, { Location: `http://${other}/there` }).end(),
    );
    const { stdout } = await opened.purl([
      '--quiet',
      '--raw',
      '--auth',
      'u:p',
      '--http',
      address,
      '--msg',
      '{"action":"x"}',
    ]);
    const seen = JSON.parse(stdout) as { headers: Record<string, string> };
    expect(seen).toMatchObject({ method: 'GET', url: '/there', body: '' });
    expect(seen.headers.authorization).toBeUndefined();
  });

  it('goes through a proxy', async () => {
    const proxy = await echo();
    const { stdout } = await opened.purl([
      '--quiet',
      '--httpProxy',
      proxy,
      '--http',
      'http://nowhere.invalid/x',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      url: 'http://nowhere.invalid/x',
      headers: { host: 'nowhere.invalid' },
    });
  });

  it.each([
    [['--header', 'a: b\nc: d'], '--header: the header "a"'],
    [['--header', '(a: b'], '--header: the header "(a"'],
    [['--authToken', 'a\nb'], '--authToken: the header "Authorization"'],
    [['--content-type', 'a\nb', '--msg', '{}'], '--content-type: the header "Content-type"'],
  ])(
    'says of what no header may have whose it is, before anything is sent: %j',
    async (flags, what) => {
      let connections = 0;
      const server = createNetServer(() => {
        connections += 1;
      });
      const address = await listen(server);
      const { code, stdout, stderr } = await opened.purl(['--quiet', '--http', address, ...flags]);
      expect([code, stdout, connections]).toEqual([2, '', 0]);
      expect(stderr).toContain(`${what} cannot be sent: it has a line break`);
    },
  );

  it('takes a proxy user with a stray % as it is', async () => {
    const proxy = await echo();
    const flags = ['--quiet', '--httpProxy', `a%zz:b%3A@${proxy}`];
    const { code, stdout } = await opened.purl([...flags, '--http', 'http://nowhere.test/x']);
    expect(code).toBe(0);
    const sent = JSON.parse(stdout) as { headers: Record<string, string> };
    const user = Buffer.from('a%zz:b:').toString('base64');
    expect(sent.headers['proxy-authorization']).toBe(`Basic ${user}`);
  });

  it('reads an answer that has no HTTP head', async () => {
    const address = await listen(
      createNetServer((socket) => socket.once('data', () => socket.end('{"status": true}'))),
    );
    const { stdout, code } = await opened.purl([
      '--quiet',
      '--raw',
      '--http',
      address,
      '--msg',
      '{"action":"x"}',
    ]);
    expect({ stdout, code }).toEqual({ stdout: '{"status": true}\n', code: 0 });
  });

  it.each([
    ['a host that refuses', ['--http', '127.0.0.1:9', '--retries', '0'], 7],
    ['a name that is unknown', ['--http', 'nowhere.invalid', '--retries', '0'], 6],
    ['an unknown flag', ['--nosuch'], 2],
    ['another scheme', ['--http', 'ftp://x/'], 3],
  ])('ends with its own status for %s', async (_name, args, status) => {
    const { code, stderr } = await opened.purl(args);
    expect(code).toBe(status);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    [[], 22],
    [['--quiet'], 0],
    [['--quiet', '--fail'], 22],
  ])('ends a message that is refused as the original with --quiet (%j)', async (flags, status) => {
    const address = await serve((_request, response) =>
      response.writeHead(404).end('{"status": false}'),
    );
    const { code, stdout } = await opened.purl([
      ...flags,
      '--raw',
      '--http',
      address,
      '--msg',
      '{"action":"x"}',
    ]);
    expect({ code, stdout }).toEqual({ code: status, stdout: '{"status": false}\n' });
  });

  it('gives up when nothing comes any more', async () => {
    const address = await serve(() => {});
    const { code } = await opened.purl(['--timeout', '0.3', '--http', address]);
    expect(code).toBe(28);
  });

  it('says that the other side is no pfioh', async () => {
    const address = await serve((_request, response) => response.end('<html>'));
    const folder = opened.folder();
    mkdirSync(join(folder, 'x'));
    const msg = JSON.stringify({
      action: 'pushPath',
      meta: { local: { path: folder }, remote: { path: '/' } },
    });
    const { code, stderr } = await opened.purl(['--http', address, '--msg', msg]);
    expect(code).toBe(52);
    expect(stderr).toContain('is no pfioh');
  });

  it.each(['pushPath', 'pullPath'])('says that the other side is a pman (%s)', async (action) => {
    const folder = opened.folder();
    const pman = opened.start('pman', [
      '--ip',
      '127.0.0.1',
      '--port',
      '0',
      '--DBpath',
      join(folder, 'db'),
    ]);
    const where = /listening on \S*?(127\.0\.0\.1:\d+)/;
    await eventually('pman listens', () => where.test(pman.stdout() + pman.stderr()));
    const address = where.exec(pman.stdout() + pman.stderr())?.[1] ?? '';
    const msg = JSON.stringify({
      action,
      meta: { local: { path: folder }, remote: { path: '/x' } },
    });
    const { code, stderr } = await opened.purl(['--http', `${address}/api/v1/cmd`, '--msg', msg]);
    expect(stderr).toContain('is a pman and no pfioh');
    expect(code).toBe(52);
  });

  it('takes no greeting of another protocol for an answer', async () => {
    const address = await listen(
      createNetServer((socket) => {
        socket.on('error', () => {}).resume();
        socket.end('SSH-2.0-OpenSSH_9.2\r\n');
      }),
    );
    const { code, stdout, stderr } = await opened.purl([
      '--http',
      address,
      '--msg',
      '{"action":"x"}',
    ]);
    expect(stderr).toContain('does not speak HTTP');
    expect({ code, status: (JSON.parse(stdout) as { status: unknown }).status }).toEqual({
      code: 52,
      status: false,
    });
  });
});

describe('purl with a message', () => {
  it('does not report success when nobody answered', async () => {
    const args = ['--quiet', '--retries', '0', '--http', '127.0.0.1:9', '--msg', '{"action":"x"}'];
    const { stdout } = await opened.purl(args);
    expect(JSON.parse(stdout)).toMatchObject({
      status: false,
      stdout: expect.stringContaining('ECONNREFUSED'),
      msg: expect.not.stringContaining('OK'),
    });
  });

  it.each(['nope', '[1]', '{"action": }'])('sends nothing when it is %j', async (msg) => {
    let requests = 0;
    const address = await serve((_request, response) => {
      requests += 1;
      response.end('{}');
    });
    const { code, stdout, stderr } = await opened.purl(['--http', address, '--msg', msg]);
    expect({ code, stdout, requests }).toEqual({ code: 2, stdout: '', requests: 0 });
    expect(stderr).toMatch(/purl: --msg is not (JSON|a JSON object)/);
  });

  it('says with --quiet that it sends an empty message in place of one that is no JSON', async () => {
    const address = await echo();
    const { code, stdout, stderr } = await opened.purl([
      ...['--quiet', '--raw', '--http', address, '--msg', 'nope'],
    ]);
    expect({ code, body: (JSON.parse(stdout) as { body: string }).body }).toEqual({
      code: 0,
      body: '{}',
    });
    expect(stderr).toContain('--msg is not JSON');
  });

  it('indents and puts the keys in order when it is called pfurl', async () => {
    const address = await serve((_request, response) =>
      response.end('{"status": true, "d": {"b": 1.0, "a": [{"z": 1, "y": 2}]}}'),
    );
    const bin = opened.folder();
    symlinkSync(join(import.meta.dirname, '../../dist/bin/purl.js'), join(bin, 'pfurl.js'));
    const program = opened.start(
      'pfurl',
      ['--quiet', '--raw', '--http', address, '--msg', '{"action":"x"}'],
      { bin },
    );
    expect((await program.ended).stdout).toBe(`{
    "d": {
        "a": [
            {
                "y": 2,
                "z": 1
            }
        ],
        "b": 1.0
    },
    "status": true
}
`);
  });
});
