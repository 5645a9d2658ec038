import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { certificates, opensslMissing } from '../helpers/certificates.ts';
import { describeWithEngine, itWithEngine } from '../helpers/engine.ts';
import { eventually, Opened, transferMessage } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

const PFIOH = join(import.meta.dirname, '../../dist/bin/pfioh.js');

/** A store with a folder `t`: it has `a`, `data` and `z`. */
function makeStore(): { readonly store: string; readonly back: string } {
  const top = opened.folder();
  const store = join(top, 'store');
  mkdirSync(join(store, 't'), { recursive: true });
  for (const name of ['a', 'z']) writeFileSync(join(store, 't', name), name);
  writeFileSync(join(store, 't/data'), randomBytes(3_000_000));
  return { store, back: join(top, 'back') };
}

/** Does something every millisecond or so, as long as the test goes on. */
function steadily(act: () => void): void {
  const timer = setInterval(act, 1);
  opened.onClose(() => clearInterval(timer));
}

const noMounts = () =>
  spawnSync('unshare', ['--mount', 'true']).status === 0 ? undefined : 'nothing may be mounted';

/** A pfioh in whose store reading `t/<name>` is an EIO: it is the memory of the pfioh itself. */
async function pfiohWithUnreadable(store: string, name: string): Promise<string> {
  const bad = join(store, 't', name);
  writeFileSync(bad, '');
  const run = `mount --bind /proc/$$/mem '${bad}' && exec '${process.execPath}' '${PFIOH}' "$@"`;
  const flags = ['--port', '0', '--forever', '-v', '0', '--storeBase', store];
  const child = spawn('unshare', ['--mount', 'sh', '-c', run, 'sh', ...flags]);
  opened.onClose(async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await eventually('pfioh listens', () => /listening on \S+/.test(said));
  return /listening on http:\/\/(\S+)/.exec(said)?.[1] ?? '';
}

describeWithEngine('a file that the disk of the server does not give', noMounts, () => {
  it('holds up nothing else of a pull, which names it and ends with 8', async () => {
    const { store, back } = makeStore();
    const address = await pfiohWithUnreadable(store, 'bad');
    const { code, stderr } = await opened.purl(['pull', `${address}:t`, back]);
    expect(stderr.split('\n').slice(-2)).toEqual([
      'purl: all but this has arrived: bad: cannot read t/bad: EIO',
      '',
    ]);
    expect(code).toBe(8);
    expect(readdirSync(back).sort()).toEqual(['a', 'data', 'z']);
  });

  it.each(['zip', 'pack'])('is named when a whole archive breaks off for it (%s)', async (how) => {
    const { store, back } = makeStore();
    mkdirSync(back);
    // By then much has been sent.
    const address = await pfiohWithUnreadable(store, 'y');
    const options = { local: back, remote: 't', unpack: how === 'pack' };
    const { code, stderr } = await opened.transfer(address, 'pullPath', options);
    expect(stderr).toContain('cannot send it: cannot read t/y: EIO');
    expect(code).toBe(8);
    expect(readdirSync(back)).toEqual([]);
  });

  it('breaks off the answer to a client that looks at nothing behind it', async () => {
    const { store, back } = makeStore();
    const address = await pfiohWithUnreadable(store, 'y');
    const { action, meta } = JSON.parse(transferMessage('pullPath', { local: back, remote: 't' }));
    const query = new URLSearchParams({ action, meta: JSON.stringify(meta) });
    const answer = await fetch(`http://${address}/api/v1/cmd?${query}`);
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });
});

describe('a folder that a job still writes to', () => {
  it.each([0, 300_000])('comes with its log of %i bytes, which is whole', async (bytes) => {
    const { store, back } = makeStore();
    const log = join(store, 't/job.log');
    writeFileSync(log, 'x'.repeat(bytes));
    let line = 0;
    steadily(() => {
      line += 1;
      appendFileSync(log, `line ${line}\n`);
    });
    const { address } = await opened.pfioh(['--storeBase', store]);
    const { code, stderr } = await opened.purl(['pull', `${address}:t`, back, '--quiet']);
    expect([code, stderr]).toEqual([0, '']);
    expect(readdirSync(back).sort()).toEqual(['a', 'data', 'job.log', 'z']);
    const pulled = readFileSync(join(back, 'job.log'), 'utf8');
    expect(readFileSync(log, 'utf8').startsWith(pulled)).toBe(true);
    expect(pulled).toMatch(/line \d+\n$/);
  });

  it('comes without the file that is never the same, which is named', async () => {
    const { store, back } = makeStore();
    const path = join(store, 't/image');
    const size = 24 * 1024 * 1024;
    writeFileSync(path, Buffer.alloc(size));
    const fd = openSync(path, 'r+');
    opened.onClose(() => closeSync(fd));
    steadily(() => {
      for (let at = 0; at < size; at += 1024 * 1024) writeSync(fd, randomBytes(16), 0, 16, at);
    });
    const { address } = await opened.pfioh(['--storeBase', store]);
    const { code, stderr } = await opened.purl(['pull', `${address}:t`, back, '--quiet']);
    expect(stderr).toMatch(
      /^purl: all but this has arrived: image: .*image changed while it was read/,
    );
    expect(code).toBe(8);
    expect(readdirSync(back).sort()).toEqual(['a', 'data', 'z']);
  });

  it('comes when files in it come and go', async () => {
    const { store, back } = makeStore();
    const { address } = await opened.pfioh(['--storeBase', store]);
    let count = 0;
    const timer = setInterval(() => {
      count += 1;
      writeFileSync(join(store, 't', `new${count}`), 'x');
    }, 150);
    opened.onClose(() => clearInterval(timer));
    const { code } = await opened.purl(['pull', `${address}:t`, back, '--quiet']);
    expect(code).toBe(0);
    expect(existsSync(join(back, 'data'))).toBe(true);
  });
});

describe('purl push and pull of what is no pfioh', () => {
  const serve = async (answer: RequestListener) => {
    const server = createServer(answer);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    opened.onClose(() => {
      server.closeAllConnections();
      server.close();
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it.each<[string, number, RequestListener, RegExp]>([
    ['a proxy that wants a user', 5, (_, to) => to.writeHead(407).end('no'), /--httpProxy user:/],
    [
      'a proxy whose pfioh is away',
      52,
      (_, to) => to.writeHead(502).end('no'),
      /502, not as pfioh/,
    ],
    ['a login page', 52, (_, to) => to.end('<html>'), /is no pfioh/],
    ['a silent server', 28, () => {}, /nothing came/],
  ])('do not say that something is kept: %s', async (_what, status, answer, why) => {
    const address = await serve(answer);
    const back = join(opened.folder(), 'back');
    const how = ['--timeout', '1'];
    const { code, stderr } = await opened.purl(['pull', ...how, `${address}:x`, back]);
    expect(stderr).toMatch(why);
    expect(stderr).not.toMatch(/kept/);
    expect(code).toBe(status);
  });

  itWithEngine('say that https may be meant where it is', opensslMissing, async () => {
    const certs = certificates();
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(certs, name)));
    const server = createSecureServer({ cert, key }, (_, to) => to.end());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    opened.onClose(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const back = join(opened.folder(), 'back');
    const { code, stderr } = await opened.purl(['pull', `127.0.0.1:${port}:x`, back]);
    expect([code, stderr]).toEqual([52, expect.stringMatching(/; perhaps https:\/\/ is meant\n$/)]);
  });
});

describe('purl push of what is more than it says, or no file', () => {
  it('counts what a file of /proc has', async () => {
    const { store } = makeStore();
    const { address } = await opened.pfioh(['--storeBase', store]);
    const { stdout } = await opened.purl(['push', '/proc/cpuinfo', `${address}:t`, '--json']);
    const size = readFileSync(join(store, 't/cpuinfo')).length;
    expect(size).toBeGreaterThan(0);
    expect(JSON.parse(stdout)).toMatchObject({ files: 1, bytes: size });
  });

  it('says of the output of a command that it is no file', async () => {
    const { store } = makeStore();
    const { address } = await opened.pfioh(['--storeBase', store]);
    const purl = join(import.meta.dirname, '../../dist/bin/purl.js');
    const line = `'${process.execPath}' '${purl}' push <(echo hi) '${address}:t'`;
    const { status, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' });
    expect(stderr).toMatch(/^purl: \/dev\/fd\/\d+ is neither a file nor a folder nor a link/);
    expect(status).toBe(26);
  });
});
