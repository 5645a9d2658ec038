import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { pmanVerb, startVerb, verbOnTerminal } from '../helpers/pmanVerb.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

const noPty = () =>
  spawnSync('script', ['-V']).status === 0 ? undefined : 'no script(1): install util-linux';

describe('watching a server', () => {
  let server: TestServer;
  let ids: string[] = [];
  beforeAll(async () => {
    server = await startServer();
    const names = ['one', 'two'];
    ids = [];
    for (const name of names) {
      const { stdout } = await pmanVerb(server, [
        'run',
        '--name',
        name,
        name === 'one' ? 'true' : 'exit 7',
      ]);
      ids.push(stdout.trim());
      await pmanVerb(server, ['wait', stdout.trim()]);
    }
  });
  afterAll(() => endServer(server));
  const pman = (...argv: string[]) => pmanVerb(server, argv);

  describe('pman events', () => {
    it('gives each change a line of fields in a pipe', async () => {
      const { code, stdout } = await pman('events', '--after', '0', '-n', '8');
      expect(code).toBe(0);
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
      expect(lines.map(([, seq]) => seq)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
      expect(lines[7]?.slice(2)).toEqual(['ended', expect.any(String), 'two', 'failed 7']);
      expect(lines[0]?.[0]).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    });

    it('gives the objects of the API with --json, chosen by flags', async () => {
      const { stdout } = await pman(
        ...['events', '--after', '0', '--type', 'ended', '--state', 'failed', '-n', '1', '--json'],
      );
      expect(JSON.parse(stdout)).toMatchObject({ seq: 8, type: 'ended', jid: 'two' });
      const byName = await pman(
        'events',
        '--after',
        '0',
        '--name',
        'one',
        '-n',
        '4',
        ...[ids[0] ?? ''],
      );
      expect(byName.stdout.trimEnd().split('\n')).toHaveLength(4);
    });

    it('goes on with what comes, and ends with Ctrl-C', async () => {
      const verb = startVerb(server, ['events', '--type', 'accepted', '--json']);
      await eventually(async () => {
        await pman('run', '--name', 'later', 'true');
        return verb.shown().stdout.includes('later');
      });
      verb.kill('SIGINT');
      expect((await verb.ended).code).toBe(130);
    });

    it('says which words it does not know', async () => {
      expect(await pman('events', '--type', 'endet')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('"endet" is none of accepted, waiting'),
      });
      expect((await pman('events', '--after', '-1')).code).toBe(2);
    });
  });

  describe('pman doctor', () => {
    const checksOf = async (argv: string[], env = {}) => {
      const { code, stdout } = await pmanVerb(server, ['doctor', '--json', ...argv], { env });
      const { checks } = JSON.parse(stdout) as {
        checks: { name: string; state: string; text: string; hint?: string }[];
      };
      return { code, stdout, checks: new Map(checks.map((check) => [check.name, check])) };
    };

    it('looks at the server, the clock, the disk, what runs jobs, and their limits', async () => {
      const { checks } = await checksOf([]);
      expect([...checks.keys()]).toEqual(
        expect.arrayContaining([
          'server',
          'token',
          'clock',
          'database',
          'disk',
          'host',
          'limits',
          'contexts',
        ]),
      );
      expect(checks.get('server')?.text).toMatch(
        /^http:\/\/127\.0\.0\.1:\d+, pman 3\.\d+\.\d+, answered in \d+ ms/,
      );
      for (const name of ['server', 'clock', 'database', 'host']) {
        expect([name, checks.get(name)?.state]).toEqual([name, 'ok']);
      }
      expect(checks.get('database')?.text).toMatch(/^can be written, \d+ jobs$/);
    });

    it('ends with 1 when there is no server, and says what to do', async () => {
      const { code, checks } = await checksOf(['--server', 'http://127.0.0.1:9']);
      expect(code).toBe(1);
      expect(checks.get('server')).toMatchObject({
        ...{ state: 'failed', hint: 'pman serve starts one; --server URL names another' },
        text: expect.stringContaining('ECONNREFUSED'),
      });
    });

    it('tells a token that is wrong, and never shows it', async () => {
      const folders = makeFolders();
      const tokenPath = join(folders.root, 'tokens');
      writeFileSync(tokenPath, 'the-right-token-of-all\n', { mode: 0o600 });
      const guarded = await startServer({
        folders,
        flags: ['--enableTokenAuth', '--tokenPath', tokenPath],
      });
      const url = `http://127.0.0.1:${guarded.port}`;
      const wrong = await checksOf([], { PMAN_URL: url, PMAN_TOKEN: 'a-wrong-token' });
      expect([wrong.code, wrong.checks.get('token')?.state]).toEqual([1, 'failed']);
      expect(wrong.stdout).not.toContain('a-wrong-token');
      const right = await checksOf([], { PMAN_URL: url, PMAN_TOKEN: 'the-right-token-of-all' });
      expect(right.checks.get('token')).toMatchObject({ state: 'ok', text: 'is taken' });
      expect(right.stdout).not.toContain('the-right-token-of-all');
      await endServer(guarded);
    });

    it('names the contexts and keeps their tokens', async () => {
      const config = join(server.folders.root, 'config');
      mkdirSync(join(config, 'pman'), { recursive: true });
      const url = `http://127.0.0.1:${server.port}`;
      const contexts = { lab: { url, token: 'secret-of-the-lab' }, home: { url } };
      writeFileSync(
        join(config, 'pman/contexts.json'),
        JSON.stringify({ current: 'lab', contexts }),
        { mode: 0o600 },
      );
      const { checks, stdout } = await checksOf([], { XDG_CONFIG_HOME: config, PMAN_URL: '' });
      expect(checks.get('contexts')).toMatchObject({ state: 'ok', text: 'lab (current), home' });
      expect(stdout).not.toContain('secret-of-the-lab');
    });
  });

  describe('pman open', () => {
    it('prints the address of the page, or of a job', async () => {
      const url = `http://127.0.0.1:${server.port}/ui`;
      expect(await pman('open')).toEqual({ code: 0, stdout: `${url}\n`, stderr: '' });
      expect((await pman('open', 'two')).stdout).toMatch(
        new RegExp(`^${url}/jobs/\\d+\\.\\d+_.*\n$`),
      );
      expect((await pman('open', 'nobody')).code).toBe(1);
    });
  });

  describe('completion in bash', () => {
    /** What bash offers for a line, the cursor behind it, at the second press of the key (63) or the first (9). */
    const offered = (words: readonly string[], type: 9 | 63) => {
      const script = `
        pman() { "${process.execPath}" dist/bin/pman.cjs "$@"; }
        command() { "$@"; }
        compopt() { echo "option: $*"; }
        source <(pman completion bash)
        COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
        COMP_CWORD=${words.length - 1} COMP_TYPE=${type}
        _pman_complete
        printf '%s\\n' "\${COMPREPLY[@]}"
        complete -p pman
      `;
      const env = { ...process.env, PMAN_URL: `http://127.0.0.1:${server.port}`, COLUMNS: '60' };
      const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
        encoding: 'utf8',
        env,
      });
      expect(stderr).toBe('');
      const lines = stdout.trimEnd().split('\n');
      expect(lines.pop()).toContain('-F _pman_complete pman');
      return lines;
    };

    it('knows ids, with the name and the state beside them', () => {
      const [one = '', two = ''] = ids;
      expect(offered(['pman', 'show', ''], 9)).toEqual(
        expect.arrayContaining([one, two, 'failed']),
      );
      const listed = offered(['pman', 'show', ''], 63);
      expect(listed.find((line) => line.startsWith(two))).toMatch(/^\w{6} +two {2}failed 7$/);
      expect(Math.max(...listed.map((line) => line.length))).toBeLessThanOrEqual(60);
      expect(offered(['pman', 'logs', two.slice(0, 4)], 9)).toEqual([two]);
      expect(offered(['pman', 'kill', 'tw'], 9)).toEqual(['two']);
    });

    it('knows verbs, flags, and what flags may be', () => {
      expect(offered(['pman', 'ev'], 9)).toEqual(['events']);
      expect(offered(['pman', 'help', 'exit'], 9)).toEqual(['exit-codes']);
      expect(offered(['pman', 'run', '--time'], 9)).toEqual(['--timeout']);
      expect(offered(['pman', 'run', '--backend', ''], 9)).toEqual([
        'host',
        'swarm',
        'docker',
        'kubernetes',
      ]);
      expect(offered(['pman', 'push', ''], 9)).toEqual(['option: -o default', '']);
      expect(offered(['pman', 'completion', ''], 9)).toEqual(['bash', 'zsh', 'fish']);
    });

    it('says nothing when the server is away', async () => {
      const { code, stdout, stderr } = await pmanVerb(server, ['__complete', 'show', ''], {
        env: { PMAN_URL: 'http://127.0.0.1:9' },
      });
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    });

    it('has scripts that the shells can read', () => {
      for (const shell of ['bash', 'zsh', 'fish']) {
        if (spawnSync(shell, ['--version']).status !== 0) continue;
        const made = spawnSync(process.execPath, ['dist/bin/pman.cjs', 'completion', shell], {
          encoding: 'utf8',
        });
        const read = spawnSync(shell, ['-n'], { input: made.stdout, encoding: 'utf8' });
        expect([shell, read.status, read.stderr]).toEqual([shell, 0, '']);
      }
    });
  });

  describeWithEngine('pman top', noPty, () => {
    /** The processes that were started with a variable and have this in their command line. */
    const processesWith = (variable: string, word: string) =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .filter((pid) => {
          try {
            const read = (file: string) =>
              readFileSync(`/proc/${pid}/${file}`, 'latin1').split('\0');
            const words = read('cmdline');
            return read('environ').includes(variable) && words[1]?.endsWith(word) === true;
          } catch {
            return false;
          }
        })
        .map(Number);
    const LEFT = '\u001b[?25h\u001b[?1049l';

    it('shows running and waiting jobs at 80 by 24, obeys keys, and gives the terminal back', async () => {
      const api = new ApiClient(server);
      const gate = makeGate(server);
      const line = `echo first; printf 'epoch 3/200'; ${gate.wait}`;
      const id = (await pman('run', '--name', 'train-lr0.001', line)).stdout.trim();
      const terminal = verbOnTerminal(server, 'top');
      await eventually(() => terminal.shown().includes('epoch 3/200'));
      const raw = terminal.raw();
      expect(raw).toContain('\u001b[?1049h');
      // The mouse stays the terminal's.
      expect(raw).not.toMatch(/\?100[0-6]h/);
      const screen = raw.slice(raw.lastIndexOf('\u001b[1;1H'));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what moves the cursor
      const rows = screen.split(/\u001b\[\d+;1H/).slice(1);
      expect(rows.length).toBeLessThanOrEqual(24);
      terminal.type('?');
      await eventually(() => terminal.shown().includes('kill it (asks)'));
      terminal.type('K');
      await eventually(() => terminal.shown().includes(`kill ${id}? [y/N]`));
      terminal.type('n');
      await eventually(() => terminal.shown().includes('nothing was done'));
      terminal.type('/zzz\r');
      await eventually(() => terminal.shown().includes('no job fits "zzz"'));
      terminal.type('\u001b');
      terminal.type('f');
      await eventually(() => terminal.shown().includes('failed 7'));
      terminal.type('f');
      await eventually(
        () => terminal.shown().lastIndexOf('train-lr') > terminal.shown().lastIndexOf('failed 7'),
      );
      expect((await api.job(id)).state).toBe('running');
      terminal.type('q');
      expect(await terminal.ended).toBe(0);
      expect(terminal.raw().endsWith(LEFT)).toBe(true);
      gate.open();
      await pman('wait', id);
    });

    it('gives the terminal back when it is ended by a signal, and says so by its code', async () => {
      const terminal = verbOnTerminal(server, 'top', { env: { PMAN_TEST_MARK: 'top' } });
      await eventually(() => terminal.raw().includes('\u001b[?1049h'));
      const [pid] = processesWith('PMAN_TEST_MARK=top', 'pman.cjs');
      process.kill(pid ?? 0, 'SIGTERM');
      expect(await terminal.ended).toBe(143);
      expect(terminal.raw().endsWith(LEFT)).toBe(true);
    });

    it('needs a terminal', async () => {
      expect(await pman('top')).toEqual({
        ...{ code: 1, stdout: '' },
        stderr: 'pman: top needs a terminal\n  pman ls -w goes on in a pipe, too\n',
      });
    });
  });
});
