import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { pmanVerb, startVerb } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const UTF8 = { env: { LC_ALL: 'C.UTF-8' } };

function makeData(): string {
  const folder = join(tempDir(), 'data');
  mkdirSync(join(folder, 'in'), { recursive: true });
  writeFileSync(join(folder, 'in/numbers'), '3\n1\n2\n');
  writeFileSync(
    join(folder, 'do.sh'),
    'mkdir -p out/sub; sort in/numbers >out/sorted; echo x >out/sub/x; echo y >other; echo done; exit 3\n',
  );
  return folder;
}

describe('files to a server and back', () => {
  let server: TestServer;
  let store = '';
  beforeAll(async () => {
    server = await startServer();
    store = `${server.folders.DBpath}.spool/fileio`;
  });
  afterAll(() => endServer(server));
  const pman = (...argv: string[]) => pmanVerb(server, argv, UTF8);

  describe('push and pull', () => {
    it('go to the pfioh beside pman, and bring only what is not there', async () => {
      const data = makeData();
      const first = await pman('push', data, 'jobs/42');
      expect(first).toMatchObject({ code: 0, stderr: '' });
      expect(first.stdout).toMatch(/^✓ 2 files, \d+ B in [\d.]+ s \(.*\)\n$/);
      expect(readFileSync(join(store, 'jobs/42/in/numbers'), 'utf8')).toBe('3\n1\n2\n');
      expect((await pman('push', data, 'jobs/42')).stdout).toMatch(/^✓ all 2 files were there/);
      const back = join(tempDir(), 'back');
      expect((await pman('pull', 'jobs/42/in', back)).code).toBe(0);
      expect(readdirSync(back)).toEqual(['numbers']);
      const json = JSON.parse((await pman('pull', '--json', 'jobs/42', back)).stdout);
      expect(json).toMatchObject({ files: 2, alreadyThere: 0 });
    });

    it('say what is wrong', async () => {
      expect(await pman('push', 'only')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('it takes two words'),
      });
      expect(await pman('push', '/not/there', 'x')).toMatchObject({
        code: 1,
        stderr: 'pman: /not/there: no such file or folder\n',
      });
      expect((await pman('push', makeData(), '../../x')).stderr).toContain('outside of the store');
      expect((await pman('pull', 'nothing', 'x')).stderr).toContain(
        'has no file or folder nothing',
      );
    });
  });

  describe('run --push --pull', () => {
    it('leaves alone here what is not to come back, however many files stand between those that are', async () => {
      const data = tempDir();
      const names = Array.from({ length: 2000 }, (_, i) => `f${String(i).padStart(4, '0')}`);
      for (const [i, name] of names.entries()) {
        writeFileSync(join(data, `${name}.${i % 2 === 0 ? 'txt' : 'log'}`), 'here\n');
      }
      const line = 'for file in *; do echo there >"$file"; done';
      const end = await pman('run', '--push', data, '--pull', '*.txt', line);
      expect(end.code).toBe(0);
      const found = readdirSync(data).map((name) => [
        name.slice(-4),
        readFileSync(join(data, name), 'utf8'),
      ]);
      const count = (kind: string, text: string) =>
        found.filter(([one, is]) => one === kind && is === text).length;
      expect([count('.txt', 'there\n'), count('.log', 'here\n')]).toEqual([1000, 1000]);
    });

    it('pushes nothing when what it is to read is not there', async () => {
      const before = existsSync(join(store, 'runs')) ? readdirSync(join(store, 'runs')) : [];
      const end = await pman('run', '--push', makeData(), '--stdin', '/not/there', 'cat');
      expect([end.code, end.stderr]).toEqual([125, expect.stringContaining('/not/there')]);
      expect(existsSync(join(store, 'runs')) ? readdirSync(join(store, 'runs')) : []).toEqual(
        before,
      );
    });

    it('brings the folder, runs there, ends with the exit code, and fetches what fits', async () => {
      const data = makeData();
      const end = await pman('run', '--push', data, '--pull', 'out/**', '--', 'sh', 'do.sh');
      expect([end.code, end.stdout]).toEqual([3, 'done\n']);
      expect(end.stderr).toMatch(/^✓ 2 files, 8 B in /);
      expect(readFileSync(join(data, 'out/sorted'), 'utf8')).toBe('1\n2\n3\n');
      expect(readFileSync(join(data, 'out/sub/x'), 'utf8')).toBe('x\n');
      expect(existsSync(join(data, 'other'))).toBe(false);
      // Its folder on the server has served.
      expect(readdirSync(join(store, 'runs'))).toEqual([]);
    });

    it('runs in a copy of the folder as it is now: what has gone here is not there', async () => {
      const data = makeData();
      writeFileSync(join(data, 'old'), '');
      const list = () => pman('run', '--push', data, '-f', 'ls; echo new >made');
      expect((await list()).stdout).toBe('do.sh\nin\nold\n');
      rmSync(join(data, 'old'));
      expect((await list()).stdout).toBe('do.sh\nin\n');
    });

    it('has several jobs with the same folder at once, none of which sees another', async () => {
      const data = makeData();
      const ends = await Promise.all(
        [1, 2, 3].map((n) => {
          const into = join(tempDir(), 'into');
          const line = `ls >seen; echo ${n} >mine`;
          return pman(
            'run',
            '--push',
            data,
            '--pull',
            'mine',
            '--pull',
            'seen',
            '--into',
            into,
            line,
          ).then(({ code }) => [
            code,
            ...['mine', 'seen'].map((name) => readFileSync(join(into, name), 'utf8')),
          ]);
        }),
      );
      expect(ends).toEqual([1, 2, 3].map((n) => [0, `${n}\n`, 'do.sh\nin\nseen\n']));
    });

    it('needs no folder to fetch from', async () => {
      const into = join(tempDir(), 'got');
      const end = await pman('run', '--pull', 'a*', '--into', into, 'echo 1 >a1; echo 2 >b');
      expect(end.code).toBe(0);
      expect(readdirSync(into)).toEqual(['a1']);
    });

    it('fetches the rest when one result cannot be sent, says which, and keeps all on the server', async () => {
      const into = join(tempDir(), 'got');
      const command =
        'mkdir out; echo 1 >out/a; ln -s /etc/passwd out/far; echo 2 >out/z; ln -s /x other';
      const end = await pman('run', '--pull', 'out/**', '--into', into, command);
      expect(end.code).toBe(125);
      expect(end.stderr).toContain(
        'the job has ended with 0; its files are still on the server: all but this has arrived: out/far: ',
      );
      expect(end.stderr).not.toContain('other');
      expect(readdirSync(join(into, 'out'))).toEqual(['a', 'z']);
      expect(readFileSync(join(into, 'out/z'), 'utf8')).toBe('2\n');
      const [, place = ''] = /pman pull (runs\S+) FOLDER/.exec(end.stderr) ?? [];
      expect(existsSync(join(store, place, 'out/a'))).toBe(true);
    });

    it.each(['out', 'out/', './out/**', './out', '.'])(
      'takes all of a folder that is named: --pull %s',
      async (pattern) => {
        const into = join(tempDir(), 'got');
        const command = 'mkdir -p out/sub; echo 1 >out/a; echo 2 >out/sub/b';
        const end = await pman('run', '--pull', pattern, '--into', into, command);
        expect([end.code, end.stderr]).toEqual([0, expect.stringMatching(/^✓ 2 files/)]);
        expect(readFileSync(join(into, 'out/sub/b'), 'utf8')).toBe('2\n');
      },
    );

    it.each([
      [0, 125],
      [3, 3],
    ])(
      'keeps all on the server when nothing fits one pattern, and fetches the rest: after %i it ends with %i',
      async (code, expected) => {
        const into = join(tempDir(), 'got');
        const command = `mkdir out; echo precious >out/result; echo 1 >log; exit ${code}`;
        const flags = ['--pull', 'results/**', '--pull', 'log', '--into', into];
        const end = await pman('run', ...flags, command);
        expect(end.code).toBe(expected);
        expect(end.stderr).toContain(
          `the job has ended with ${code}; its files are still on the server: nothing in its folder fits --pull "results/**"\n`,
        );
        expect(readdirSync(into)).toEqual(['log']);
        const [, place = ''] = /pman pull (runs\S+) FOLDER/.exec(end.stderr) ?? [];
        expect(readFileSync(join(store, place, 'out/result'), 'utf8')).toBe('precious\n');
      },
    );

    it('takes an empty folder for one that has nothing to fetch', async () => {
      const end = await pman('run', '--pull', 'out/**', '--into', tempDir(), 'mkdir out');
      expect(end.code).toBe(0);
    });

    it.each(['/out', '../out'])('refuses a pattern that can fit nothing: %s', async (pattern) => {
      const end = await pman('run', '--pull', pattern, 'true');
      expect(end.code).toBe(2);
      expect(end.stderr).toContain(
        `--pull "${pattern}": it names what is in the folder of the job`,
      );
    });

    it('leaves what was edited here meanwhile: what the job left alone, and what it has changed, too', async () => {
      const data = makeData();
      const at = (name: string) => join(data, name);
      for (const name of ['alone', 'both', 'touched']) writeFileSync(at(name), 'old\n');
      symlinkSync('in', at('link'));
      const gate = makeGate(server);
      const line = `echo begun; ${gate.wait}; echo job >both; echo job >touched; echo job >made; echo job >new`;
      const verb = startVerb(server, ['run', '--push', data, '--pull', '**', line], UTF8);
      await eventually(() => verb.shown().stdout.includes('begun'));
      writeFileSync(at('alone'), 'new\n');
      for (const name of ['both', 'made']) writeFileSync(at(name), 'mine\n');
      utimesSync(at('touched'), 1, 1);
      gate.open();
      const end = await verb.ended;
      expect(end.code).toBe(125);
      expect(end.stderr).toContain(
        'all but this has arrived: both: it has changed on both sides meanwhile, and the one here stays; made: ',
      );
      expect(end.stderr).not.toContain('alone');
      const shown = ['alone', 'both', 'made', 'touched', 'new'].map((name) =>
        readFileSync(at(name), 'utf8'),
      );
      expect(shown).toEqual(['new\n', 'mine\n', 'mine\n', 'job\n', 'job\n']);
      const [, place = ''] = /pman pull (runs\S+) FOLDER/.exec(end.stderr) ?? [];
      expect(readFileSync(join(store, place, 'both'), 'utf8')).toBe('job\n');
    });

    it('does not bring back over an edited file what the job has never touched', async () => {
      const data = makeData();
      const gate = makeGate(server);
      const line = `echo begun; ${gate.wait}; echo r >result`;
      const verb = startVerb(server, ['run', '--push', data, '--pull', '**', line], UTF8);
      await eventually(() => verb.shown().stdout.includes('begun'));
      writeFileSync(join(data, 'in/numbers'), 'written meanwhile\n');
      gate.open();
      expect((await verb.ended).code).toBe(0);
      expect(readFileSync(join(data, 'in/numbers'), 'utf8')).toBe('written meanwhile\n');
      expect(readFileSync(join(data, 'result'), 'utf8')).toBe('r\n');
    });

    it('rerun says of a job whose pushed folder has gone that it has, before any is sent; so does its dry run', async () => {
      const data = makeData();
      await pman('run', '--push', data, '--pull', 'out/**', '--name', 'pushed', 'mkdir -p out');
      await pman('run', '--push', data, '--name', 'kept', 'true');
      const count = async () => (await pman('ls', '-aq')).stdout.length;
      const before = await count();
      const gone =
        /^pman: \w{6} pushed was sent with --push or --pull; its folder on the server was removed/;
      for (const argv of [['pushed'], ['kept', 'pushed']]) {
        const end = await pman('rerun', ...argv);
        expect([end.code, end.stdout]).toEqual([1, '']);
        expect(end.stderr).toMatch(gone);
        expect(end.stderr).toContain('  bring the folder again: pman run --push FOLDER');
      }
      expect(await count()).toBe(before);
      const dry = await pman('rerun', '--dry-run', 'pushed');
      expect([dry.code, dry.stdout]).toEqual([1, '']);
      expect(dry.stderr).toContain('was removed when');
      const json = await pman('rerun', '--dry-run', '--json', 'pushed');
      expect(JSON.parse(json.stdout)).toEqual({ dryRun: true, jobs: [] });
      expect(JSON.parse(json.stderr).hint).toContain('bring the folder again');
      expect((await pman('rerun', '--cwd', '/', 'pushed')).code).toBe(0);
    });

    it('goes on when pman is killed and started again meanwhile', async () => {
      const one = await startServer();
      const gate = makeGate(one);
      const data = makeData();
      const line = `echo begun; ${gate.wait}; echo 1 >out`;
      const verb = startVerb(one, ['run', '--push', data, '--pull', 'out', line], UTF8);
      await eventually(() => verb.shown().stdout.includes('begun'));
      await one.kill9();
      const two = await startServer({ folders: one.folders, port: one.port });
      gate.open();
      expect((await verb.ended).code).toBe(0);
      expect(readFileSync(join(data, 'out'), 'utf8')).toBe('1\n');
      await endServer(two);
      one.endJobs();
    });

    it('leaves the job and its files when it is interrupted, and says how to get them', async () => {
      const data = makeData();
      const gate = makeGate(server);
      const line = `echo begun; ${gate.wait}; echo 1 >out`;
      const verb = startVerb(server, ['run', '--push', data, '--pull', 'out', line], UTF8);
      await eventually(() => verb.shown().stdout.includes('begun'));
      verb.kill('SIGINT');
      const end = await verb.ended;
      expect(end.code).toBe(130);
      const [, place = ''] = /its files: pman pull (runs\/\S+) FOLDER/.exec(end.stderr) ?? [];
      gate.open();
      const [id = ''] = /\b[0-9a-f]{6}\b/.exec(end.stderr) ?? [];
      await pman('wait', id);
      const back = join(tempDir(), 'back');
      expect((await pman('pull', place, back)).code).toBe(0);
      expect(readFileSync(join(back, 'out'), 'utf8')).toBe('1\n');
    });

    it('refuses what does not go together, and leaves nothing', async () => {
      const data = makeData();
      const runs = () => readdirSync(join(store, 'runs')).length;
      const before = runs();
      for (const flags of [
        ['--cwd', '/'],
        ['--ssh', 'a@b'],
        ['--key', 'k'],
      ]) {
        expect((await pman('run', '--push', data, ...flags, 'true')).code).toBe(2);
      }
      expect((await pman('run', '--into', 'x', 'true')).code).toBe(2);
      expect(await pman('run', '--push', '/not/there', 'true')).toMatchObject({
        code: 125,
        stderr: 'pman: --push /not/there: no such folder\n',
      });
      // The server refuses the job: the folder that was made for it goes.
      expect((await pman('run', '--push', data, '--nice', '99', 'true')).code).toBe(2);
      expect(runs()).toBe(before);
    });
  });
});
