import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Child } from '../helpers/child.ts';
import { requestBytes, Wire } from '../helpers/http.ts';
import { within } from '../helpers/patience.ts';
import { command, endServer, makeGate, replyOf, untilEnded } from '../helpers/pman.ts';
import { builtProgram, type Folders, makeFolders, startServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

// Many starts of a program, one after the other, on a machine that may be busy.

async function pman(
  flags: readonly string[],
  env: Record<string, string> = {},
  folders: Folders = makeFolders(),
) {
  const child = new Child([...builtProgram('pman'), ...flags], {
    cwd: folders.cwd,
    env: { PATH: process.env.PATH, HOME: folders.home, ...env },
  });
  const { code, signal } = await child.within(10_000);
  return { code, signal, ...child.output };
}

/** Refused in a line on stderr that names the culprit, and one that says what to do, with exit code 2, and nothing else. */
async function expectUsageError(
  flags: readonly string[],
  naming: string,
  env?: Record<string, string>,
): Promise<void> {
  const { code, stdout, stderr } = await pman(flags, env);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^pman: [^\n]+\npman: [^\n]+\n$/);
  expect(stderr).toContain(naming);
}

const start = (flags: readonly string[], env = {}) => startServer({ flags, env });

describe('the command line of pman', () => {
  it('takes every flag in its long form with = and says where it listens', async () => {
    const dir = tempDir();
    const tokens = join(dir, 'tokens');
    writeFileSync(tokens, 'secret-1\n');
    const server = await startServer({
      ownFlags: () => [],
      flags: [
        ...[
          '--ip=127.0.0.1',
          '--port=0',
          '--protocol=tcp',
          '--rawmode=1',
          '--listeners=3',
          '--http',
        ],
        ...['--debugToFile', `--debugFile=${dir}/made/debug.log`, '--listenerSleep=0.5'],
        ...[`--directiveFile=${dir}/d.json`, `--DBpath=${dir}/db`, '--DBsavePeriod=7'],
        ...['--container-env=host', '--verbosity=2', '--enableTokenAuth', `--tokenPath=${tokens}`],
        ...[
          '--maxJobs=5',
          '--maxBodySize=1',
          '--killGrace=2',
          `--exportPath=${dir}/out`,
          '--fsync',
        ],
      ],
    });
    expect(existsSync(join(dir, 'made/debug.log'))).toBe(true);
    expect(existsSync(join(dir, 'db'))).toBe(true);
    expect((await server.request('GET', '/')).status).toBe(401);
    const headers = { Authorization: 'secret-1' };
    expect((await server.request('GET', '/', { headers })).header('content-type')).toBe(
      'application/html',
    );
    await endServer(server);
  });

  it('takes values behind a blank, short flags, and unambiguous beginnings, as argparse does', async () => {
    const dir = tempDir();
    const server = await startServer({
      ownFlags: () => [],
      flags: [
        ...['--ip', '127.0.0.1', '--port', '0', '--proto', 'tcp', '--raw', '1', '--listeners', '2'],
        ...['--DBp', `${dir}/db`, '--DBs=9', '--direct', `${dir}/d.json`, '--cont=HOST', '-v', '1'],
      ],
    });
    expect(existsSync(join(dir, 'db'))).toBe(true);
    await endServer(server);
  });

  it.each([['-v0'], ['--verbosity=0'], ['--verb', '-1']])(
    'is silent at %j, but for where it listens',
    async (...flags) => {
      const server = await start(flags);
      await server.request('POST', '/', { body: '{' });
      expect(server.output.stderr).toMatch(/^pman listening on [^\n]*\n$/);
      await endServer(server);
      expect(server.output.stdout).toBe('');
    },
  );

  it('refuses wrong values, each by its name', async () => {
    const lines = [
      [
        ...['--port=abc', '--listeners=0', '--rawmode=2', '--protocol=udp', '--DBsavePeriod=0'],
        ...[
          '--killGrace=1e9',
          '--verbosity=loud',
          '--DBpath=',
          '--directiveFile=',
          '--maxBodySize=0',
        ],
        ...['--maxJobs=0', '--listenerSleep=long'],
      ],
      [
        '--port=65536',
        '--listeners=many',
        '--DBsavePeriod=x',
        '--killGrace=99999999999',
        '--maxJobs=1.5',
      ],
      ['--port=-1', '--DBsavePeriod=-5', '--maxBodySize=99999', '--verbosity='],
      ['--port=1.5', '--DBsavePeriod=99999999999', '--maxBodySize=1e3'],
      ['--port='],
    ];
    await Promise.all(
      lines.map(async (flags) => {
        const { code, stdout, stderr } = await pman(flags);
        expect([code, stdout]).toEqual([2, '']);
        expect(stderr).toMatch(/^pman: [^\n]+\npman: [^\n]+\n$/);
        for (const flag of flags) {
          const [name, value = ''] = flag.split('=');
          expect(stderr).toContain(`${name} ${JSON.stringify(value)} `);
        }
      }),
    );
  });

  it('refuses what it does not know or cannot read', async () => {
    const wrong = [
      [['--configFile', '/no/such.ini'], '/no/such.ini'],
      [['--nosuch'], '--nosuch'],
      [['--port'], '--port'],
      [['--d', 'x'], '--d'],
      [['--http', 'surplus'], 'surplus'],
      [['serve', 'surplus'], 'surplus'],
      [['-z'], '-z'],
      [['--http=maybe'], 'http'],
      [['--enableTokenAuth', '--tokenPath', '/no/such/tokens'], 'tokenPath'],
    ] as const;
    await Promise.all(wrong.map(([flags, naming]) => expectUsageError(flags, naming)));
  });

  it('prints version, help, synopsis and description; synopsis wins, then description', async () => {
    const version = await pman(['--version']);
    expect(version).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Version: \d+\.\d+\.\d+\n$/),
    });
    const help = await pman(['serve', '--help']);
    expect(help.code).toBe(0);
    for (const flag of ['--ip', '--DBpath', '--container-env', '-v, --verbosity', '-x, --desc']) {
      expect(help.stdout).toContain(flag);
    }
    const synopsis = await pman(['-y']);
    expect(synopsis).toMatchObject({ code: 0, stdout: expect.stringContaining('SYNOPSIS') });
    const description = await pman(['-x', '--version']);
    expect(description).toMatchObject({ code: 0, stdout: expect.stringContaining('DESCRIPTION') });
    expect((await pman(['--desc', '--synopsis', '--version'])).stdout).toBe(synopsis.stdout);
  });
});

describe('the settings of pman', () => {
  const settled = async (flags: readonly string[], env: Record<string, string>) => {
    const server = await startServer({ flags, env });
    const type = (await server.request('GET', '/')).header('content-type');
    const silent = server.output.stderr.split('\n').length === 2;
    await endServer(server);
    return { html: type === 'application/html', silent };
  };

  it.each([
    ['ini', 'http = true\nverbosity = 0\n[AUTH TOKENS]\na = b\n'],
    ['json', '{"http": true, "verbosity": 0}'],
  ])('come from a config file: %s', async (kind, content) => {
    const file = join(tempDir(), `pman.${kind}`);
    writeFileSync(file, content);
    expect(await settled(['--configFile', file], {})).toEqual({ html: true, silent: true });
    expect(await settled([], { PMAN_CONFIGFILE: file })).toEqual({ html: true, silent: true });
    // Environment over file, flag over environment.
    expect(await settled([`--configFile=${file}`], { PMAN_HTTP: '0' })).toMatchObject({
      html: false,
    });
    const env = { PMAN_VERBOSITY: '0', PMAN_HTTP: 'no' };
    expect(await settled(['--verbosity=1', '--http', `--conf=${file}`], env)).toEqual({
      html: true,
      silent: false,
    });
  });

  it('refuse wrong values in the environment', async () => {
    await Promise.all([
      expectUsageError([], 'port', { PMAN_PORT: 'x' }),
      expectUsageError([], 'PMAN_HTTP', { PMAN_HTTP: 'maybe' }),
      expectUsageError([], '/no/such.ini', { PMAN_CONFIGFILE: '/no/such.ini' }),
    ]);
  });

  it('refuse wrong keys and values in a config file', async () => {
    const wrong = [
      ['a.ini', 'nosuch = 1\n', 'nosuch'],
      ['b.ini', 'port = x\n', 'port'],
      ['c.json', '{"port": ', 'c.json'],
      ['d.json', '[1]', 'd.json'],
      ['e.json', '{"http": "maybe"}', 'http'],
      ['f.json', '{"__proto__": 1}', '__proto__'],
    ] as const;
    const dir = tempDir();
    await Promise.all(
      wrong.map(([name, content, naming]) => {
        writeFileSync(join(dir, name), content);
        return expectUsageError(['--configFile', join(dir, name)], naming);
      }),
    );
  });
});

describe('a pman that cannot run', () => {
  const places = (folders: Folders) => [
    ...['--DBpath', folders.DBpath, '--directiveFile', folders.directiveFile],
  ];

  it('says in one line that its port is in use, exits 1, and leaves the first alone', async () => {
    const server = await start(['--listeners', '2']);
    const gate = makeGate(server);
    const run = command('run', {
      cmd: `${gate.wait}; echo done`,
      auid: 'a',
      jid: 'first',
      threaded: true,
    });
    expect(replyOf(await server.request('POST', '/', { body: run })).status).toBe(true);
    const { code, stderr } = await pman(['--port', String(server.port), ...places(makeFolders())]);
    expect(code).toBe(1);
    const [first, ...rest] = stderr.trim().split('\n');
    expect(first).toMatch(new RegExp(`^pman: .*127\\.0\\.0\\.1:${server.port}.*in use`));
    expect(rest.length).toBeLessThanOrEqual(1);
    gate.open();
    expect((await untilEnded(server, 'first')).stdout).toEqual(['', 'done\n']);
    await endServer(server);
  });

  it('says so of a second one on the same database, whatever its port', async () => {
    const server = await start([]);
    const { code, stderr } = await pman(
      ['--port', '0', ...places(server.folders)],
      {},
      server.folders,
    );
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^pman: [^\n]*database[^\n]*in use/)]);
    await endServer(server);
  });

  it.each([
    ['an address that is not its own', ['--ip', '203.0.113.7', '--port', '0'], /203\.0\.113\.7/],
    [
      'a database below a file',
      ['--DBpath', '/etc/hostname/db', '--port', '0'],
      /\/etc\/hostname\/db/,
    ],
    [
      'a debug log below a file',
      ['--debugToFile', '--debugFile', '/etc/hostname/x/log', '--port', '0'],
      /hostname/,
    ],
  ])('says so of %s', async (_what, flags, naming) => {
    const folders = makeFolders();
    const { code, stderr } = await pman([...places(folders), ...flags], {}, folders);
    expect(code).toBe(1);
    expect(stderr.split('\n')[0]).toMatch(naming);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('a pman that is told to end', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s exits 0 within a second, idle and busy connections or not',
    async (signal) => {
      const server = await start([]);
      const wires = await Promise.all(Array.from({ length: 20 }, () => Wire.open(server.port)));
      for (const wire of wires.slice(10)) {
        await wire.send(requestBytes('GET', '/'));
        expect((await wire.answer())?.status).toBe(200);
      }
      const gate = makeGate(server);
      const held = command('run', { cmd: gate.wait, auid: 'a', jid: 'held' });
      await wires[0]?.send(requestBytes('POST', '/', { body: held }));
      await wires[1]?.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"half');
      const started = performance.now();
      process.kill(server.pid, signal);
      expect(await server.exited).toEqual({ code: 0, signal: null });
      expect(performance.now() - started).toBeLessThan(within(1000));
      for (const wire of wires) expect(await wire.settled(500)).not.toBe('open');
      gate.open();
      server.endJobs();
    },
  );
});
