import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { pmanVerb, startVerb, verbOnTerminal } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

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

    it('shows a job on the usual screen and comes back; ended there, the terminal reads lines again', async () => {
      const terminal = verbOnTerminal(server, 'top', {
        ...{ env: { PMAN_TEST_MARK: 'aside' }, behind: 'stty -a' },
      });
      await eventually(() => terminal.raw().includes('\u001b[?1049h'));
      terminal.type('f');
      await eventually(() => terminal.shown().includes('failed 7'));
      const shows = async () => {
        const before = terminal.shown().length;
        terminal.type('\r');
        await eventually(() => terminal.shown().slice(before).includes('any key goes back'));
      };
      await shows();
      expect(terminal.shown()).toMatch(/command {2}exit 7\n/);
      const opened = () => terminal.raw().split('\u001b[?1049h').length;
      const before = opened();
      terminal.type('x');
      await eventually(() => opened() > before);
      await shows();
      const [pid] = processesWith('PMAN_TEST_MARK=aside', 'pman.cjs');
      process.kill(pid ?? 0, 'SIGTERM');
      await terminal.ended;
      expect(terminal.shown()).toMatch(/ icanon /);
      expect(terminal.shown()).toMatch(/ echo /);
    });

    it('needs a terminal', async () => {
      expect(await pman('top')).toEqual({
        ...{ code: 1, stdout: '' },
        stderr: 'pman: top needs a terminal\n  pman ls -w goes on in a pipe, too\n',
      });
    });
  });
});
