import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { TlsFiles } from '../../lib/host/tlsFiles.ts';
import { silentLogger } from '../../lib/log.ts';
import { certificates, opensslMissing } from '../helpers/certificates.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { openEcho } from '../helpers/gateway.ts';
import { command, endServer } from '../helpers/pman.ts';
import { pythonMissing, pythonProgram } from '../helpers/python.ts';
import { said } from '../helpers/said.ts';
import { builtProgram, startServer, type TestServer } from '../helpers/startServer.ts';
import { Opened } from '../helpers/transfer.ts';

const hello = JSON.stringify(command('hello', { askAbout: 'timestamp' }));
const at = (folder: string, name: string) => join(folder, name);
const shown = (folder: string) => [
  ...['--tlsCert', at(folder, 'cert.pem'), '--tlsKey', at(folder, 'key.pem')],
];
const startTls = (folder: string, ...flags: readonly string[]) =>
  startServer({
    flags: [...shown(folder), ...flags],
    isReady: async (port) => port > 0 && (await handshake(port)) !== undefined,
  });

/** The certificate that a server shows, or undefined when there is no handshake. */
function handshake(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256);
      socket.destroy();
    });
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
  });
}

/** What a plain connection gets for some bytes, until it is closed. */
function plain(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

async function curl(...args: readonly string[]) {
  const child = spawn('curl', ['-sS', '--max-time', '60', ...args]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

describeWithEngine('pman over TLS', opensslMissing, () => {
  let certs = '';
  let server: TestServer;
  let url = '';
  beforeAll(async () => {
    certs = certificates();
    server = await startTls(certs);
    url = `https://127.0.0.1:${server.port}`;
  });
  afterAll(() => endServer(server));
  const trusting = () => ['--cacert', at(certs, 'ca.pem')];

  it('says so where it says that it listens', () => {
    expect(server.output.stderr).toContain(`listening on https://127.0.0.1:${server.port}`);
  });

  it('answers curl, also many requests on one connection', async () => {
    const ended = await curl(...trusting(), '-d', hello, `${url}/api/v1/cmd`);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ended.stdout)).toMatchObject({ status: true, d_ret: { name: 'pman' } });
    const kept = await curl(
      ...[
        ...trusting(),
        '-o',
        '/dev/null',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code} %{num_connects} ',
      ],
      ...[`${url}/api/v1/hello`, `${url}/api/v1/hello`],
    );
    expect(kept.stdout).toBe('200 1 200 0 ');
  });

  it('opens file servers that speak TLS with the same certificate', async () => {
    const setup = JSON.stringify(command('fileiosetup', { serveforever: true }));
    const { stdout } = await curl(...trusting(), '-d', setup, url);
    const { d_ret } = JSON.parse(stdout) as { d_ret: { fileioport: string } };
    const ask = (scheme: string) =>
      curl(
        ...[...trusting(), '-d', '{"action": "hello", "meta": {"askAbout": "timestamp"}}'],
        `${scheme}://127.0.0.1:${d_ret.fileioport}`,
      );
    expect(JSON.parse((await ask('https')).stdout)).toMatchObject({ stdout: { status: true } });
    expect((await ask('http')).code).not.toBe(0);
  });

  it('takes large bodies, and refuses a larger one with an answer', async () => {
    const file = at(certs, 'large');
    writeFileSync(
      file,
      JSON.stringify({ payload: { action: 'hello', meta: { x: 'y'.repeat(8e6) } } }),
    );
    const code = ['-o', '/dev/null', '-w', '%{http_code}'];
    const send = (body: string) =>
      curl(...trusting(), ...code, '-H', 'Expect:', '--data-binary', body, url);
    expect((await send(`@${file}`)).stdout).toBe('200');
    writeFileSync(file, 'x'.repeat(2e7));
    expect(await send(`@${file}`)).toMatchObject({ code: 0, stdout: '413' });
  });

  it('tells a client without TLS what to do, and leaves it', async () => {
    const answer = await plain(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*This port speaks TLS/);
  });

  it('speaks TLS 1.2 and 1.3 and HTTP/1.1, and nothing older or newer', () => {
    const ask = (...args: readonly string[]) => {
      const how = ['s_client', '-connect', `127.0.0.1:${server.port}`, ...trustingFile(), ...args];
      const { stdout, stderr } = spawnSync('openssl', how, { encoding: 'utf8', input: '' });
      return stdout + stderr;
    };
    const trustingFile = () => ['-CAfile', at(certs, 'ca.pem')];
    for (const version of ['-tls1_2', '-tls1_3']) {
      const said = ask(version, '-alpn', 'h2,http/1.1');
      expect(said).toMatch(/Verif(y return code|ication): (0 \()?(OK|ok)/);
      expect(said).toContain('ALPN protocol: http/1.1');
    }
    expect(ask('-tls1_1', '-cipher', 'ALL:@SECLEVEL=0')).toMatch(/alert|no protocols/i);
    expect(ask('-alpn', 'h2')).toMatch(/alert no application protocol/);
  });

  it('has the file server beside it speak TLS as well', async () => {
    const asked = await curl(...trusting(), '-X', 'POST', `${url}/api/v2/store`);
    const { scheme, port } = JSON.parse(asked.stdout) as { scheme: string; port: number };
    expect(scheme).toBe('https');
    const hello = JSON.stringify({ action: 'hello', meta: { askAbout: 'timestamp' } });
    const answer = await curl(...trusting(), '-d', hello, `https://127.0.0.1:${port}`);
    expect(JSON.parse(answer.stdout)).toMatchObject({ stdout: { status: true } });
    expect((await curl('-d', hello, `http://127.0.0.1:${port}`)).code).not.toBe(0);
  });

  it('takes a page that came without TLS for a foreign one', async () => {
    const code = async (origin: string) =>
      (
        await curl(
          ...[...trusting(), '-H', `Origin: ${origin}`, '-o', '/dev/null', '-w', '%{http_code}'],
          `${url}/api/v1/hello`,
        )
      ).stdout;
    expect(await code(url)).toBe('200');
    expect(await code(url.replace('https', 'http'))).toBe('403');
  });

  it('is known to pman_health by its certificate', () => {
    const health = (folder: string) =>
      spawnSync(
        process.execPath,
        [builtProgram('pman_health')[1] ?? '', '--port', String(server.port), ...shown(folder)],
        { encoding: 'utf8' },
      );
    expect(health(certs)).toMatchObject({ status: 0, stdout: 'alive\n' });
    expect(health(certificates())).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('does not show the certificate of --tlsCert'),
    });
  });

  describeWithEngine('HTTPie', pythonMissing, () => {
    it('is answered when it knows the authority', () => {
      const { stdout, status } = spawnSync(
        pythonProgram('http'),
        ['--ignore-stdin', '--verify', at(certs, 'ca.pem'), '--body', `${url}/api/v1/hello`],
        { encoding: 'utf8' },
      );
      expect({ status, reply: JSON.parse(stdout) }).toMatchObject({
        status: 0,
        reply: { status: true },
      });
    });
  });
});

describeWithEngine('the files of TLS', opensslMissing, () => {
  let server: TestServer;
  afterEach(() => endServer(server));
  const put = (from: string, to: string, name: string) => {
    copyFileSync(at(from, name), at(to, `${name}.new`));
    renameSync(at(to, `${name}.new`), at(to, name));
  };

  it('are read again when they change; a bad pair is told of, and no handshake fails meanwhile', async () => {
    const [certs, later] = [certificates(), certificates()];
    server = await startTls(certs);
    const before = await handshake(server.port);
    const seen = new Set([before]);
    let isOver = false;
    const knocking = (async () => {
      while (!isOver) seen.add(await handshake(server.port));
    })();
    put(later, certs, 'cert.pem');
    await eventually(() => server.output.stderr.includes('the former ones stay'));
    expect(await handshake(server.port)).toBe(before);
    put(later, certs, 'key.pem');
    await eventually(async () => (await handshake(server.port)) !== before);
    isOver = true;
    await knocking;
    expect(seen.has(undefined)).toBe(false);
    expect(seen.size).toBe(2);
    await said(server, 'the new TLS files are used');
  });

  it('may name authorities: others are refused in the handshake', async () => {
    const [certs, others] = [certificates(), certificates()];
    server = await startServer({
      flags: [...shown(certs), '--tlsClientCA', at(certs, 'ca.pem')],
      isReady: async (port) => port > 0,
    });
    const ask = (...more: readonly string[]) =>
      curl(
        '--cacert',
        at(certs, 'ca.pem'),
        ...more,
        `https://127.0.0.1:${server.port}/api/v1/hello`,
      );
    const as = (folder: string) => [
      '--cert',
      at(folder, 'cert.pem'),
      '--key',
      at(folder, 'key.pem'),
    ];
    expect(await ask(...as(certs))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('health'),
    });
    for (const how of [[], as(others)]) {
      const refused = await ask(...how, '--tls-max', '1.2');
      expect(refused).toMatchObject({ stdout: '' });
      expect(refused.code).not.toBe(0);
      expect(await ask(...how)).toMatchObject({ stdout: '' });
    }
  });
});

describe('TLS settings that cannot be', () => {
  it.each([
    [['--tlsCert', '/x'], /takes both --tlsCert and --tlsKey/],
    [['--tlsClientCA', '/x'], /takes both/],
    [['--tlsCert', '/x', '--tlsKey', '/y', '--rawmode', '0'], /--rawmode 0/],
    [['--tlsCert', '/nosuch', '--tlsKey', '/nosuch'], /TLS cannot use \/nosuch.*ENOENT/],
  ])('%j end the start with 2 and one sentence', (flags, why) => {
    for (const [name, more] of [
      ['pman', ['--DBpath', '/tmp/nosuch-db-of-a-test/db']],
      ['pfioh', ['--port', '0']],
    ] as const) {
      if (name === 'pfioh' && flags.includes('--rawmode')) continue;
      if (name === 'pman' && flags.includes('/nosuch')) continue;
      const [program = '', ...args] = builtProgram(name);
      const ended = spawnSync(program, [...args, ...more, ...flags], { encoding: 'utf8' });
      expect(ended).toMatchObject({ status: 2, stderr: expect.stringMatching(why) });
    }
  });
});

describeWithEngine('a slow handshake', opensslMissing, () => {
  it('is ended at its limit, and holds up nobody', async () => {
    const certs = certificates();
    const places = { cert: at(certs, 'cert.pem'), key: at(certs, 'key.pem') };
    const tls = new TlsFiles(places, silentLogger());
    const { gateway, port } = await openEcho({ tls, limits: { headersTimeoutMs: 700 } });
    try {
      const slow = ['', '\x16', '\x16\x03\x01\x02\x00'].map((bytes) => plain(port, bytes));
      expect(await handshake(port)).toBeDefined();
      expect(await Promise.all(slow)).toEqual(['', '', '']);
    } finally {
      await gateway.close();
      tls.close();
    }
  });
});

describeWithEngine('pfioh and purl over TLS', opensslMissing, () => {
  const opened = new Opened();
  afterEach(() => opened.close());

  it('push and pull, with a client certificate where one is wanted', async () => {
    const certs = certificates();
    const [store, from] = [opened.folder(), opened.folder()];
    writeFileSync(join(from, 'a.txt'), 'content');
    const pfioh = opened.start('pfioh', [
      ...['--port', '0', '--forever', '--storeBase', store, '--createDirsAsNeeded'],
      ...[...shown(certs), '--tlsClientCA', at(certs, 'ca.pem')],
    ]);
    const port = await eventually(() => /https:\/\/127\.0\.0\.1:(\d+)/.exec(pfioh.stdout())?.[1]);
    const url = `https://127.0.0.1:${port}/api/v1/file`;
    const message = JSON.stringify({
      action: 'pushPath',
      meta: {
        remote: { key: 'k' },
        local: { path: from },
        transport: { mechanism: 'compress', compress: { archive: 'zip' } },
      },
    });
    const push = (...how: readonly string[]) =>
      opened.purl(['--quiet', '--raw', '--http', url, '--msg', message, ...how]);
    const trusting = ['--cacert', at(certs, 'ca.pem')];
    const mine = ['--cert', at(certs, 'cert.pem'), '--key', at(certs, 'key.pem')];
    expect(await push(...trusting, ...mine)).toMatchObject({ code: 0 });
    expect((await push(...trusting)).stdout).toContain('certificate required');
    expect(await push(...mine)).toMatchObject({
      code: 35,
      stderr: expect.stringContaining('certificate'),
    });
    expect(await push('-k', ...mine)).toMatchObject({ code: 0 });
    expect((await push('--key', '/x')).code).toBe(2);
    expect((await push('--cacert', join(from, 'a.txt'))).stderr).toContain('--cacert');
  });
});
