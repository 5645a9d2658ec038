import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually, Opened, treeOf } from '../helpers/transfer.ts';

const opened = new Opened();
const noScript = () =>
  spawnSync('script', ['-V']).status === 0 ? undefined : 'no script(1): install util-linux';
afterEach(() => opened.close());

const UTF8 = { env: { LANG: 'C.UTF-8', LC_ALL: '' } };

function makeFolder(): { readonly source: string; readonly store: string; readonly top: string } {
  const top = opened.folder();
  const source = join(top, 'src');
  mkdirSync(join(source, 'sub é/empty'), { recursive: true });
  mkdirSync(join(top, 'store'));
  for (let i = 0; i < 20; i += 1) writeFileSync(join(source, `sub é/f${i}`), `file ${i}\n`);
  writeFileSync(join(source, 'random.bin'), randomBytes(2_000_000));
  writeFileSync(join(source, 'run.sh'), '#!/bin/sh\n');
  chmodSync(join(source, 'run.sh'), 0o751);
  symlinkSync('sub é/f3', join(source, 'link'));
  return { source, store: join(top, 'store'), top };
}

const pfiohFor = (store: string) => opened.pfioh(['--storeBase', store, '--createDirsAsNeeded']);

/** The same trees, whatever the time of the top is. */
function expectSame(one: string, other: string): void {
  const [a, b] = [treeOf(one), treeOf(other)];
  delete a[''];
  delete b[''];
  expect(a).toEqual(b);
}

/** A way to a server that is cut each time when so many bytes have passed to it, or from it. */
async function cutEach(address: string, bytes: number, times: number): Promise<string> {
  const [host = '', port = '0'] = address.split(':');
  let left = times;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    let passed = 0;
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        passed += chunk.length;
        if (passed > bytes && left > 0) {
          left -= 1;
          client.destroy();
          upstream.destroy();
        } else to.write(chunk);
      });
      from.on('error', () => {});
      from.on('close', () => to.destroySoon());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.onClose(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  return `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
}

describe('purl push and pull', () => {
  it('bring a folder there and back as it is', async () => {
    const { source, store, top } = makeFolder();
    const { address } = await pfiohFor(store);
    const pushed = await opened.purl(['push', source, `${address}:jobs/42`], UTF8);
    expect(pushed).toMatchObject({ code: 0, stderr: '' });
    expect(pushed.stdout).toMatch(/^✓ 22 files, 1\.91 MiB in [\d.]+ s \([\d.]+ [KM]iB\/s\)\n$/);
    expectSame(join(store, 'jobs/42'), source);
    const back = join(top, 'back');
    const pulled = await opened.purl(['pull', `${address}:jobs/42`, back], UTF8);
    expect(pulled.code).toBe(0);
    expect(pulled.stdout).toMatch(/^✓ 22 files, 1\.91 MiB in /);
    expectSame(back, source);
    expect(readdirSync(join(store, 'jobs/42')).sort()).toEqual(readdirSync(source).sort());
  });

  it('send only what the other side lacks', async () => {
    const { source, store, top } = makeFolder();
    const { address } = await pfiohFor(store);
    const push = () => opened.purl(['push', source, `${address}:jobs`, '--json']);
    await push();
    expect(JSON.parse((await push()).stdout)).toMatchObject({ files: 0, alreadyThere: 22 });
    // Another content of the same size, another right, a file that was spoilt there.
    writeFileSync(join(source, 'sub é/f7'), 'FILE 7\n');
    chmodSync(join(source, 'sub é/f8'), 0o600);
    writeFileSync(join(store, 'jobs/sub é/f9'), 'spoilt\n');
    expect(JSON.parse((await push()).stdout)).toMatchObject({ files: 3, alreadyThere: 19 });
    expectSame(join(store, 'jobs'), source);
    const back = join(top, 'back');
    const pull = () => opened.purl(['pull', `${address}:jobs`, back, '--json']);
    await pull();
    expect(JSON.parse((await pull()).stdout)).toMatchObject({ files: 0, alreadyThere: 22 });
    rmSync(join(back, 'random.bin'));
    writeFileSync(join(back, 'sub é/f1'), 'FILE 1\n');
    expect(JSON.parse((await pull()).stdout)).toMatchObject({ files: 2, alreadyThere: 20 });
    expectSame(back, source);
  });

  it('bring a single file there and back', async () => {
    const { source, store, top } = makeFolder();
    const { address } = await pfiohFor(store);
    await opened.purl(['push', join(source, 'random.bin'), `${address}:in`]);
    expect(readFileSync(join(store, 'in/random.bin'))).toEqual(
      readFileSync(join(source, 'random.bin')),
    );
    const back = join(top, 'back');
    await opened.purl(['pull', `${address}:in/random.bin`, back]);
    expectSame(back, join(store, 'in'));
    const again = await opened.purl(['pull', `${address}:in/random.bin`, back], UTF8);
    expect(again.stdout).toMatch(/^✓ the file was there already/);
  });

  it('go on by themselves when the connection is lost', async () => {
    const { source, store, top } = makeFolder();
    writeFileSync(join(source, 'large.bin'), randomBytes(12_000_000));
    const { address } = await pfiohFor(store);
    const cut = await cutEach(address, 5_000_000, 1);
    const pushed = await opened.purl(['push', source, `${cut}:jobs`, '--json']);
    expect(pushed.code).toBe(0);
    expect(pushed.stderr).toMatch(/lost \d\d:\d\d:\d\d · again in 1 s/);
    expectSame(join(store, 'jobs'), source);
    const cutDown = await cutEach(address, 5_000_000, 1);
    const pulled = await opened.purl(['pull', `${cutDown}:jobs`, join(top, 'back'), '--json']);
    expect(pulled.code).toBe(0);
    expect(pulled.stderr).toContain('again in 1 s');
    expectSame(join(top, 'back'), source);
    expect(readdirSync(join(top, 'back')).filter((name) => name.startsWith('.pfioh'))).toEqual([]);
  });

  it('go on where they were when purl is killed', async () => {
    const { source, store } = makeFolder();
    writeFileSync(join(source, 'large.bin'), randomBytes(60_000_000));
    const { address } = await pfiohFor(store);
    const first = opened.start('purl', ['push', source, `${address}:jobs`]);
    const parts = () =>
      existsSync(join(store, 'jobs'))
        ? readdirSync(join(store, 'jobs')).filter((name) => name.endsWith('.part'))
        : [];
    await eventually('something has arrived', () => parts().length > 0);
    first.child.kill('SIGKILL');
    await first.ended;
    // Nothing of it is in its place before all of it is there.
    const there = readdirSync(join(store, 'jobs'));
    expect(there.filter((name) => !name.startsWith('.pfioh'))).toEqual([]);
    const again = await opened.purl(['push', source, `${address}:jobs`]);
    expect(again.code).toBe(0);
    expect(parts()).toEqual([]);
    expectSame(join(store, 'jobs'), source);
  });

  it('wait for a pfioh that is started again', async () => {
    const { source, store } = makeFolder();
    writeFileSync(join(source, 'large.bin'), randomBytes(60_000_000));
    const server = await pfiohFor(store);
    const purl = opened.start('purl', ['push', source, `${server.address}:jobs`, '--json']);
    await eventually(
      'something has arrived',
      () =>
        existsSync(join(store, 'jobs')) &&
        readdirSync(join(store, 'jobs')).some((name) => name.endsWith('.part')),
    );
    server.child.kill('SIGKILL');
    await eventually('purl has seen it', () => purl.stderr().includes('again in 1 s'));
    const port = server.address.split(':')[1] ?? '';
    opened.start('pfioh', [
      ...['--port', port, '--forever', '--storeBase', store, '--createDirsAsNeeded'],
    ]);
    expect((await purl.ended).code).toBe(0);
    expectSame(join(store, 'jobs'), source);
  });

  it('list a folder again that changes while it is pulled', async () => {
    const { source, store, top } = makeFolder();
    const { address } = await pfiohFor(store);
    await opened.purl(['push', source, `${address}:jobs`]);
    writeFileSync(join(store, 'jobs/large.bin'), randomBytes(80_000_000));
    // Between the list and the second piece.
    const pull = opened.start('purl', ['pull', `${address}:jobs`, join(top, 'back'), '--json']);
    await eventually('it has begun', () => existsSync(join(top, 'back')));
    appendFileSync(join(store, 'jobs/sub é/f1'), 'more\n');
    expect((await pull.ended).code).toBe(0);
    const again = await opened.purl(['pull', `${address}:jobs`, join(top, 'back')]);
    expect(again.code).toBe(0);
    expectSame(join(top, 'back'), join(store, 'jobs'));
  });

  it.each(['pull', 'push'])(
    'leave nothing of an earlier %s that was killed, also of other content',
    async (verb) => {
      const { source, store, top } = makeFolder();
      writeFileSync(join(source, 'large.bin'), randomBytes(60_000_000));
      const { address } = await pfiohFor(top);
      const back = join(store, 'back');
      const args =
        verb === 'pull'
          ? ['pull', '--quiet', `${address}:src`, back]
          : ['push', '--quiet', source, `${address}:store/back`];
      const parts = () =>
        existsSync(back) ? readdirSync(back).filter((name) => name.endsWith('.part')) : [];
      const first = opened.start('purl', args);
      await eventually('some has come', () => parts().length > 0);
      first.child.kill('SIGKILL');
      await first.ended;
      expect(parts()).toHaveLength(1);
      appendFileSync(join(source, 'large.bin'), 'more\n');
      expect(await opened.purl(args)).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(parts()).toEqual([]);
      expectSame(back, source);
    },
  );

  it('come to the same folder at the same time without spoiling each other', async () => {
    const { source, store, top } = makeFolder();
    writeFileSync(join(source, 'large.bin'), randomBytes(40_000_000));
    const { address } = await pfiohFor(top);
    const back = join(store, 'back');
    const pulls = [1, 2, 3].map(() => opened.purl(['pull', '--quiet', `${address}:src`, back]));
    for (const { code, stderr } of await Promise.all(pulls))
      expect([code, stderr]).toEqual([0, '']);
    expectSame(back, source);
  });

  it('bring all but what cannot be sent, and say that this is not the whole', async () => {
    const { source, store, top } = makeFolder();
    const { address } = await pfiohFor(store);
    await opened.purl(['push', source, `${address}:jobs`]);
    symlinkSync('/etc/passwd', join(store, 'jobs/sub é/far'));
    for (const folder of [source, join(store, 'jobs')]) utimesSync(join(folder, 'sub é'), 1e9, 1e9);
    const back = join(top, 'back');
    const pulled = await opened.purl(['pull', `${address}:jobs`, back]);
    expect(pulled).toMatchObject({ code: 8, stdout: '' });
    expect(pulled.stderr).toContain('all but this has arrived: sub é/far: refused symbolic link');
    expectSame(back, source);
    // The same again moves nothing, and is no whole either.
    expect(await opened.purl(['pull', `${address}:jobs`, back])).toMatchObject({ code: 8 });
    rmSync(join(store, 'jobs/sub é/far'));
    expect(await opened.purl(['pull', `${address}:jobs`, back])).toMatchObject({ code: 0 });
  });

  it('bring a tree with a folder that nobody may write to as often as wanted', async () => {
    const { source, store, top } = makeFolder();
    chmodSync(join(source, 'sub é'), 0o555);
    // Root may write everywhere.
    const user = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    for (const folder of [top, store]) chmodSync(folder, 0o777);
    const back = join(top, 'back');
    const { address } = await opened.pfioh(['--storeBase', store, '--createDirsAsNeeded'], user);
    const move = async (...words: string[]) => (await opened.purl(words, user)).code;
    const both = async () => [
      await move('push', source, `${address}:jobs`),
      await move('pull', `${address}:jobs`, back),
    ];
    expect(await both()).toEqual([0, 0]);
    // Nothing is to be done.
    expect(await both()).toEqual([0, 0]);
    writeFileSync(join(source, 'sub é/f3'), 'another\n');
    expect(await both()).toEqual([0, 0]);
    expectSame(back, source);
  });

  it('make no folder when nothing comes of it', async () => {
    const { source, store, top } = makeFolder();
    const { address } = await pfiohFor(store);
    const [back, there] = [join(top, 'a/b'), join(store, 'jobs')];
    const refused = await opened.purl(['pull', `${address}:nothing`, back]);
    expect(refused.code).toBe(1);
    const { code } = await opened.transfer(address, 'pullPath', {
      ...{ local: back, remote: '/nothing', extra: {} },
    });
    expect(code).toBe(1);
    expect(existsSync(join(top, 'a'))).toBe(false);
    expect(spawnSync('mkfifo', [join(source, 'fifo')]).status).toBe(0);
    const pushed = await opened.purl(['push', source, `${address}:jobs/1`]);
    expect(pushed.code).toBe(26);
    expect(existsSync(there)).toBe(false);
  });

  it('say what is wrong, and where', async () => {
    const { source, store, top } = makeFolder();
    const { address } = await opened.pfioh(['--storeBase', store]);
    const errors = await Promise.all(
      [
        ['push', join(top, 'nothing'), `${address}:jobs`],
        ['push', source, `${address}:jobs`],
        ['push', source, `${address}:../out`],
        ['pull', `${address}:nothing`, join(top, 'back')],
        ['push', source, 'jobs'],
        ['push', `${address}:jobs`, source],
        ['push', source],
        ['pull', `${address}:.`, join(source, 'run.sh')],
        ['pull', `${address}:.`, '/proc/nobody'],
        ['pull', `${address}:.`, join(top, 'x'.repeat(256))],
      ].map(async (args) => {
        const { code, stderr } = await opened.purl(args);
        return [code, stderr.replaceAll(top, '').replaceAll(address, 'HOST')];
      }),
    );
    expect(errors).toEqual([
      [1, 'purl: /nothing: no such file or folder\n'],
      [
        1,
        'purl: HOST has no folder jobs, and may not make one (its pfioh wants --createDirsAsNeeded)\n',
      ],
      [1, expect.stringContaining('it leads outside of the store')],
      [1, 'purl: HOST has no file or folder nothing\n'],
      [2, 'purl: jobs is no place on another machine: HOST:PATH\n'],
      [2, 'purl: /src is no place on another machine: HOST:PATH; is "pull" meant?\n'],
      [2, expect.stringContaining("missing required argument 'host:path'")],
      [23, 'purl: /src/run.sh exists and is no folder\n'],
      [23, 'purl: cannot make the folder /proc/nobody: ENOENT (no such file or folder)\n'],
      [
        23,
        expect.stringMatching(/cannot make the folder .*: ENAMETOOLONG \(the name is too long\)/),
      ],
    ]);
  });
});

describeWithEngine('purl push on a terminal', noScript, () => {
  it('draws one line, never wider than the terminal, and leaves what it came to', async () => {
    const { source, store } = makeFolder();
    writeFileSync(join(source, 'large.bin'), randomBytes(80_000_000));
    const { address } = await pfiohFor(store);
    const line = `stty cols 60; exec '${process.execPath}' dist/bin/purl.js push '${source}' ${address}:jobs`;
    const env = { ...process.env, LC_ALL: 'C.UTF-8', TERM: 'xterm' };
    const { stdout } = await promisify(execFile)('script', ['-qec', line, '/dev/null'], { env });
    const [drawn = '', rest = ''] = stdout.split('\r\u001b[K✓');
    const lines = drawn.split('\r').filter((text) => text !== '');
    expect(lines.every((text) => text.endsWith('\u001b[K'))).toBe(true);
    expect(lines.length).toBeGreaterThan(0);
    for (const text of lines) expect(text).toMatch(/^ {0,2}\d+ % {2}[█░]{5,} .* \d+\/23/u);
    expect(Math.max(...lines.map((text) => text.length - 3))).toBeLessThan(60);
    expect(rest).toMatch(/^ 23 files, 78\.2 MiB in .*\r\n$/);
  });
});

describe('what pfioh tells of its files', () => {
  const ask = async (address: string, action: string, meta: object) => {
    const answer = await fetch(`http://${address}`, {
      method: 'POST',
      body: JSON.stringify({ action, meta }),
    });
    return { status: answer.status, said: (await answer.json()) as Record<string, unknown> };
  };

  it('is nothing of what links lead to, nor of what is outside of the store', async () => {
    const { store, top } = makeFolder();
    writeFileSync(join(top, 'secret'), 'secret');
    mkdirSync(join(store, 'sub'));
    symlinkSync('../secret', join(store, 'link'));
    symlinkSync('..', join(store, 'up'));
    writeFileSync(join(store, 'sub/file'), 'secret');
    const { address } = await pfiohFor(store);
    const names = ['link', 'up/secret', 'sub/file', 'sub', 'none'];
    const { said } = await ask(address, 'digests', {
      path: '.',
      files: names.map((name) => [name, 6]),
    });
    expect(said.found).toEqual([null, null, [expect.any(String), 0o644], null, null]);
    const outside = await ask(address, 'digests', { path: '.', files: [['../secret', 6]] });
    expect(outside.status).toBe(400);
    expect((await ask(address, 'digests', { path: '..', files: [] })).status).toBe(403);
    expect((await ask(address, 'tree', { path: '..' })).status).toBe(403);
    expect((await ask(address, 'digests', { path: '.', files: [['a']] })).status).toBe(400);
    expect((await ask(address, 'tree', { path: '.', from: -1 })).status).toBe(400);
    expect((await ask(address, 'tree', { path: '.', leavesOut: 1 })).status).toBe(400);
    const missing = await ask(address, 'digests', { path: 'not/there', files: [['a', 1]] });
    expect(missing.said.found).toEqual([null]);
  });
});
