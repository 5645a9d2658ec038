import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jobSchema } from '../../lib/dialects/v2/jobSchema.ts';
import { jobPageSchema } from '../../lib/dialects/v2/listSchemas.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { pmanVerb, startVerb } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

describe('the verbs of pman', () => {
  let server: TestServer;
  let api: ApiClient;
  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
  });
  afterAll(() => endServer(server));

  const pman = (...argv: string[]) => pmanVerb(server, argv);
  /** What a verb prints that ends well and says nothing. */
  const printed = async (...argv: string[]) => {
    const { code, stdout, stderr } = await pman(...argv);
    expect([argv.join(' '), code, stderr]).toEqual([argv.join(' '), 0, '']);
    return stdout;
  };

  describe('run', () => {
    it('prints the id alone, which the other verbs take', async () => {
      const id = (await printed('run', 'echo out; echo err >&2; exit 3')).trim();
      expect(id).toMatch(/^[0-9a-f]{6}$/);
      expect(await pman('wait', id)).toMatchObject({ code: 3 });
      expect(await pman('logs', id)).toEqual({ code: 0, stdout: 'out\n', stderr: 'err\n' });
    });

    it('gives one word to the shell, and several words to the program as they are', async () => {
      const line = await pman('run', '-f', 'x=1; echo "$x  2" | tr 1 3');
      expect(line).toEqual({ code: 0, stdout: '3  2\n', stderr: '' });
      const words = await pman('run', '-f', '--', 'printf', '<%s>', "a'b", '$x', '-f', 'c  d');
      expect(words.stdout).toBe("<a'b><$x><-f><c  d>");
      expect((await pman('run', '-f', 'printf', '%s;', '-h', '--json')).stdout).toBe('-h;--json;');
    });

    it('runs in the folder of the caller, for the caller, with what flags say', async () => {
      const cwd = server.folders.home;
      const env = { FROM_HERE: 'here' };
      const { stdout } = await pmanVerb(
        server,
        [
          ...['run', '--json', '--name', 'all-flags', '--env', 'A=b=c', '-eFROM_HERE'],
          ...['--label', 'x=y', '--timeout', '1m', '--memory', '1Gi', '--nice', '5'],
          ...['--max-output', '1Mi', 'pwd; echo "$A $FROM_HERE"'],
        ],
        { cwd, env },
      );
      const job = jobSchema.strict().parse(JSON.parse(stdout));
      expect(job).toMatchObject({
        ...{ jid: 'all-flags', cwd, labels: { x: 'y' }, auid: expect.stringMatching(/./) },
        asked: { timeout: 60, memory: '1Gi', nice: 5, maxOutput: '1Mi' },
      });
      expect(await pman('wait', job.id)).toMatchObject({ code: 0 });
      expect((await pman('logs', 'all-flags')).stdout).toBe(`${cwd}\nb=c here\n`);
      const elsewhere = await pman('run', '-f', '--cwd', '/', 'pwd');
      expect(elsewhere.stdout).toBe('/\n');
    });

    it('gives bytes of any kind as the input', async () => {
      const input = Buffer.from([0, 255, 10, 13, 128]);
      const piped = await pmanVerb(server, ['run', '-f', '--stdin', '-', 'od -An -tu1'], { input });
      expect(piped.stdout.trim().split(/\s+/)).toEqual(['0', '255', '10', '13', '128']);
      const file = join(server.folders.home, 'input');
      writeFileSync(file, 'text\n');
      expect((await pman('run', '-f', '--stdin', file, 'cat')).stdout).toBe('text\n');
      expect(await pman('run', '--stdin', '/no/such', 'cat')).toMatchObject({
        code: 125,
        stdout: '',
      });
    });

    it('makes no second job with the same key', async () => {
      const argv = ['run', '--key', 'only-once', 'echo once'];
      expect(await printed(...argv)).toBe(await printed(...argv));
    });

    it.each([
      ['exit 7', 7],
      ['kill -SEGV $$', 139],
      ['true', 0],
    ])('-f ends with the exit code of the job: %s', async (line, code) => {
      expect(await pman('run', '-f', line)).toMatchObject({ code });
    });

    it('-f --json prints an object a line: what the job writes, and how it has ended', async () => {
      const line = 'echo out; echo err >&2; exit 3';
      const { code, stdout, stderr } = await pman('run', '-f', '--json', line);
      expect([code, stderr]).toEqual([3, '']);
      const objects = stdout
        .trimEnd()
        .split('\n')
        .map((each): unknown => JSON.parse(each));
      const { id, ...end } = jobSchema.strict().parse(objects.pop());
      expect(end).toMatchObject({ state: 'failed', exitCode: 3 });
      const outputs = (await printed('logs', '-f', '--json', id))
        .trimEnd()
        .split('\n')
        .map((each): unknown => JSON.parse(each));
      expect(objects).toEqual(outputs);
      const piece = { job: id, part: 0, offset: 0, time: expect.any(String) };
      expect(objects).toHaveLength(2);
      expect(objects).toEqual(
        expect.arrayContaining([
          { ...piece, stream: 'stdout', text: 'out\n' },
          { ...piece, stream: 'stderr', text: 'err\n' },
        ]),
      );
    });

    it('says why a job has ended where its exit code does not tell, also in a pipe', async () => {
      const told = async (...argv: string[]) => (await pman('run', '-f', ...argv)).stderr;
      expect(await told('--timeout', '0.2s', 'sleep 60')).toMatch(
        /^pman: \w{6} sleep: timeout: .*0\.2 s.*\n$/,
      );
      expect(await told('--max-output', '1Ki', 'yes')).toMatch(
        /^pman: \w{6} yes: failed.*: .*1024.*\n$/,
      );
      expect(await told('-q', '--timeout', '0.2s', 'sleep 60')).toBe('');
      expect(await told('exit 3')).toBe('');
    });

    it('ends with 124 when the job took too long, with 125 when pman refuses, with 2 when it is used wrong', async () => {
      expect(await pman('run', '-f', '--timeout', '0.2s', 'sleep 60')).toMatchObject({ code: 124 });
      const clean = "trap 'exit 0' TERM && while :; do sleep 0.05; done";
      expect(await pman('run', '-f', '--timeout', '0.5s', clean)).toMatchObject({ code: 124 });
      expect(await pman('run', '--cwd', '/no/such/folder', 'true')).toMatchObject({ code: 125 });
      expect(await pman('run')).toMatchObject({ code: 2, stdout: '' });
      expect(await pman('run', '--timeout', 'soon', 'true')).toMatchObject({ code: 2 });
      const words = await pman('run', '--memory', 'x', 'true');
      expect([words.code, words.stderr.split('\n')[0]]).toEqual([
        2,
        'pman: run: --memory "x" is not like 512Mi',
      ]);
      const away = await pmanVerb(server, ['run', 'true'], {
        env: { PMAN_URL: 'http://127.0.0.1:1' },
      });
      expect(away).toMatchObject({ code: 125, stdout: '' });
      expect(away.stderr).toMatch(
        /^pman: no answer from http:\/\/127.0.0.1:1\n {2}.*ECONNREFUSED.*--server/,
      );
    });
  });

  describe('which job', () => {
    it('is the newest, or one of those before, or named, or in a state', async () => {
      const other = await api.submit({ command: 'true', auid: 'somebody else' });
      for (const n of [1, 2, 3])
        await printed('run', '--name', `pick-${n}`, `echo ${n}; exit ${n}`);
      await pman('wait', 'pick-*');
      expect(await printed('logs')).toBe('3\n');
      expect(await printed('logs', '@2')).toBe('2\n');
      expect(await printed('logs', 'pick-1')).toBe('1\n');
      expect(await printed('logs', other.id)).toBe('');
      const root = (await printed('show', 'pick-2', '--format', '{id}')).trim();
      const uuid = root.slice(root.indexOf('_') + 1);
      for (const name of [root, uuid, uuid.slice(0, 4).padEnd(6, uuid.slice(4, 6))]) {
        expect(await printed('show', name, '--format', '{exitCode}')).toBe('2\n');
      }
      const failed = (await printed('ls', 'failed', 'pick-?', '-q')).trim().split('\n');
      expect(failed).toHaveLength(3);
    });

    it('is said to be unknown, with what is near it and how many there are', async () => {
      await printed('run', '--name', 'nearby', 'true');
      const { code, stderr } = await pman('show', 'nearbi');
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^pman: no job "nearbi"\n {2}near it: [0-9a-f]{6} nearby\n {2}pman ls -a lists all \d+\n$/,
      );
      expect(await pman('logs', 'zzzz*')).toMatchObject({ code: 125 });
    });

    it('is said to be near by the beginning of its id, too, where that is mistyped or too short', async () => {
      const id = (await printed('run', 'true')).trim();
      const wrong = `${id.slice(0, 5)}${id.endsWith('0') ? '1' : '0'}`;
      for (const word of [wrong, id.slice(0, 3)]) {
        const { stderr } = await pman('show', word);
        expect(stderr).toMatch(new RegExp(`^pman: no job "${word}"\n  near it: .*\\b${id} `));
      }
    });

    it('is said to be near by what the list calls it, where it has no name of its own', async () => {
      const id = (await printed('run', 'nosuchprogram --at-all || true')).trim();
      const { stderr } = await pman('show', 'nosuchprogram');
      expect(stderr).toContain(`  near it: ${id} nosuchprogram\n`);
    });

    it('is an error object with --json, with a code that tells it from other errors', async () => {
      const problem = async (...argv: string[]) => {
        const { code, stderr } = await pman(...argv, '--json');
        return { exit: code, ...JSON.parse(stderr) };
      };
      expect(await problem('show', 'zzzz')).toMatchObject({ exit: 1, code: 'not_found' });
      expect(await problem('wait', '@999999')).toMatchObject({ exit: 125, code: 'not_found' });
      expect(await problem('ls', '--nosuch')).toMatchObject({
        ...{ exit: 2, code: 'usage', detail: 'there is no --nosuch' },
        hint: 'pman ls --help lists its flags',
      });
      const busy = (await printed('run', 'sleep 60')).trim();
      expect(await problem('kill', '-y')).toMatchObject({ exit: 2, code: 'usage' });
      await pman('kill', busy);
    });

    it('is not guessed when a name means several', async () => {
      for (const n of [1, 2]) await printed('run', '--name', 'twice', `sleep 30; : ${n}`);
      const { code, stderr } = await pman('kill', 'twice');
      expect(code).toBe(1);
      expect(stderr).toMatch(/^pman: 2 jobs are meant by "twice"; nothing was done\n/);
      expect(await printed('ls', 'running', 'twice*', '-q')).toMatch(/^(\w{6}\n){2}$/);
      expect(await pman('kill', '-y', 'twice*')).toMatchObject({ code: 0 });
    });

    it.each(['kill', 'rm'])('is never guessed for %s', async (verb) => {
      expect(await pman(verb)).toMatchObject({ code: 2, stdout: '' });
    });
  });

  describe('ls', () => {
    it('is fields with tabs between in a pipe, without a header', async () => {
      const id = (await printed('run', '--name', 'tabs', 'printf "a\tb\n"')).trim();
      await pman('wait', id);
      const [line = ''] = (await printed('ls', 'tabs')).split('\n');
      const fields = line.split('\t');
      expect(fields).toEqual([
        ...[id, 'tabs', 'ok', expect.stringMatching(/^\d{4}-.*Z$/)],
        ...[expect.stringMatching(/^\d+(\.\d+)?$/), 'printf "a\\tb\\n"'],
      ]);
      const { stdout } = await pman('ls', 'tabs', '--header', '-o', 'state,id');
      expect(stdout).toBe(`STATE\tID\nok\t${id}\n`);
    });

    it('prints one document with the names of the API, and never the environment', async () => {
      await printed('run', '--name', 'document', '--env', 'SECRET=hidden', 'true');
      const text = await printed('ls', '--json');
      const { jobs, total } = JSON.parse(text) as { jobs: unknown[]; total: number };
      jobPageSchema.parse({ jobs, next: null });
      for (const job of jobs) jobSchema.strict().parse(job);
      expect(total).toBeGreaterThanOrEqual(jobs.length);
      expect(text).not.toContain('hidden');
    });

    it('puts running jobs first, then those that wait by their place, then the newest that have ended', async () => {
      const own = await startServer({ flags: ['--maxJobs', '1'] });
      const gate = makeGate(own);
      try {
        await pmanVerb(own, ['run', '-f', '--name', 'first', 'true']);
        await pmanVerb(own, ['run', '--name', 'runs', gate.wait]);
        for (const name of ['waits-1', 'waits-2']) {
          await pmanVerb(own, ['run', '--name', name, 'true']);
        }
        const order = async () => (await pmanVerb(own, ['ls', '-o', 'name,state'])).stdout;
        await eventually(async () => (await order()).startsWith('runs\trunning'));
        expect(await order()).toBe(
          'runs\trunning\nwaits-1\twaiting 1\nwaits-2\twaiting 2\nfirst\tok\n',
        );
        expect((await pmanVerb(own, ['ls', '-n1', '-q'])).stdout).toMatch(/^\w{6}\n$/);
        gate.open();
        expect(await pmanVerb(own, ['wait', 'active'])).toMatchObject({ code: 0 });
      } finally {
        await endServer(own);
      }
    });

    it('-w appends a line for each change in a pipe, and goes on', async () => {
      const gate = makeGate(server);
      const again = startVerb(server, ['ls', '-w', 'watched*', '-o', 'name,state']);
      await printed('run', '--name', 'watched', gate.wait);
      await eventually(() => again.shown().stdout.includes('watched\trunning\n'));
      gate.open();
      await eventually(() => again.shown().stdout.includes('watched\tok\n'));
      again.kill('SIGINT');
      expect(await again.ended).toMatchObject({ code: 130 });
    });

    it('ends without a word when nobody reads on', async () => {
      const { port, folders } = server;
      const { spawnSync } = await import('node:child_process');
      const line = `"${process.execPath}" dist/bin/pman.cjs ls -a | head -0; echo "\${PIPESTATUS[0]}"`;
      const { stdout, stderr } = spawnSync('bash', ['-c', line], {
        encoding: 'utf8',
        env: { ...process.env, HOME: folders.home, PMAN_URL: `http://127.0.0.1:${port}` },
      });
      expect([stdout, stderr]).toEqual(['0\n', '']);
    });
  });

  describe('logs', () => {
    it('gives what was written byte for byte, each stream to its own', async () => {
      const line = 'head -c 300000 /dev/urandom | tee "$HOME/bytes"; printf \'e\\377\' >&2';
      const id = (await printed('run', line)).trim();
      await pman('wait', id);
      const { spawnSync } = await import('node:child_process');
      const { stdout, stderr } = spawnSync(process.execPath, ['dist/bin/pman.cjs', 'logs', id], {
        env: { ...process.env, PMAN_URL: `http://127.0.0.1:${server.port}` },
        maxBuffer: 1e7,
      });
      const wanted = readFileSync(join(server.folders.home, 'bytes'));
      expect(stdout.equals(wanted)).toBe(true);
      expect([...stderr]).toEqual([101, 255]);
    });

    it('gives the last lines of a long output, times, and one part or stream', async () => {
      const id = (await printed('run', 'seq 1 60000; echo e >&2')).trim();
      await pman('wait', id);
      const tail = await pman('logs', '-n', '3', '--stdout', id);
      expect(tail.stdout).toBe('59998\n59999\n60000\n');
      expect((await pman('logs', '-n', '20000', '--stdout', id)).stdout.split('\n')).toHaveLength(
        20_001,
      );
      expect(await pman('logs', '--stderr', id)).toMatchObject({ stdout: '', stderr: 'e\n' });
      expect((await pman('logs', '-t', '-n', '1', '--stdout', id)).stdout).toMatch(
        /^\d\d:\d\d:\d\d\.\d{3} 60000\n$/,
      );
      expect((await pman('logs', '-n', '0', id)).stdout).toBe('');
      const parts = await api.submit({ command: 'echo one; echo two' });
      await pman('wait', parts.id);
      expect((await pman('logs', '--part', '1', parts.id)).stdout).toBe('two\n');
    });

    it('-f waits for a job that waits, ends with it, and with -e as it', async () => {
      const gate = makeGate(server);
      const id = (await printed('run', `echo begins; ${gate.wait}; exit 4`)).trim();
      const plain = startVerb(server, ['logs', '-f', id]);
      const asJob = startVerb(server, ['logs', '-fe', '--json', id]);
      await eventually(() => plain.shown().stdout === 'begins\n');
      gate.open();
      expect(await plain.ended).toMatchObject({ code: 0, stderr: '' });
      const { code, stdout } = await asJob.ended;
      expect(code).toBe(4);
      expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({
        stream: 'stdout',
        text: 'begins\n',
      });
    });

    it('tells several jobs apart at the beginning of each line', async () => {
      for (const n of [1, 2]) await printed('run', '--name', `apart-${n}`, `echo ${n}; printf x`);
      await pman('wait', 'apart-*');
      const { stdout } = await pman('logs', 'apart-*');
      expect(
        stdout.split('\n').filter((line) => /^[0-9a-f]{4,6} │ ([12]|x)$/.test(line)),
      ).toHaveLength(4);
    });

    it('leaves the job running on Ctrl-C', async () => {
      const id = (await printed('run', 'echo there; exec sleep 60')).trim();
      const follow = startVerb(server, ['logs', '-f', id]);
      await eventually(() => follow.shown().stdout === 'there\n');
      follow.kill('SIGINT');
      const { code, stderr } = await follow.ended;
      expect(code).toBe(130);
      expect(stderr).toContain(
        `detached: ${id} still runs · pman logs -f ${id} · pman kill ${id}\n`,
      );
      expect((await api.job(id)).state).toBe('running');
      expect(await pman('kill', id)).toMatchObject({ code: 0, stdout: `${id}\techo\tkilled\n` });
    });
  });

  describe('run -f --tie', () => {
    it('hands signals to the job, and ends as the job does', async () => {
      const verb = startVerb(server, [
        'run',
        '--tie',
        'trap "echo got it; exit 9" INT; echo up; while :; do sleep 0.05; done',
      ]);
      await eventually(() => verb.shown().stdout === 'up\n');
      verb.kill('SIGINT');
      const { code, stdout } = await verb.ended;
      expect([code, stdout]).toEqual([9, 'up\ngot it\n']);
    });
  });

  describe('show', () => {
    it('is a name and a value a line in a pipe', async () => {
      const id = (await printed('run', '--name', 'shown', 'echo 12345; exit 2')).trim();
      await pman('wait', id);
      const lines = (await printed('show', id)).trimEnd().split('\n');
      const fields = Object.fromEntries(lines.map((line) => line.split('\t')));
      expect(fields).toMatchObject({
        ...{ short: id, name: 'shown', state: 'failed 2', exitCode: '2', stdoutBytes: '6' },
        ...{ command: 'echo 12345; exit 2', cwd: server.folders.cwd },
      });
      jobSchema.strict().parse(JSON.parse(await printed('show', '--json', id)));
    });
  });

  describe('wait', () => {
    it('ends with the code of the first one that failed, as they were named', async () => {
      for (const code of [0, 5, 6]) await printed('run', '--name', `code-${code}`, `exit ${code}`);
      expect(await pman('wait', 'code-0', 'code-6', 'code-5')).toMatchObject({ code: 6 });
      const { stdout } = await pman('wait', 'code-5', 'code-0');
      expect(stdout).toMatch(/^\w{6}\tcode-5\tfailed 5\t[\d.]+\n\w{6}\tcode-0\tok\t[\d.]+\n$/);
      expect(await pman('wait', '-q', 'code-0')).toMatchObject({ code: 0 });
    });

    it('waits for jobs that end while it waits', async () => {
      const gate = makeGate(server);
      const ids = [];
      for (const _ of [1, 2, 3]) ids.push((await printed('run', gate.wait)).trim());
      const verb = startVerb(server, ['wait', ...ids, '-q']);
      gate.open();
      const { code, stdout } = await verb.ended;
      expect([code, stdout.trim().split('\n').sort()]).toEqual([0, ids.toSorted()]);
    });
  });

  describe('wait --timeout', () => {
    it('ends with 124 when the time is over, and leaves the job as it is', async () => {
      const gate = makeGate(server);
      const id = (await printed('run', gate.wait)).trim();
      const { code, stdout, stderr } = await pman('wait', '--timeout', '0.2s', id);
      expect([code, stdout]).toEqual([124, '']);
      expect(stderr).toContain('pman: the time is over: 1 of 1 left');
      // Counted from what became of the job, whoever looked.
      await eventually(async () =>
        /last change [2-9] s ago/.test((await pman('wait', '--timeout', '0.1s', id)).stderr),
      );
      gate.open();
      expect(await pman('wait', '--timeout', '10m', id)).toMatchObject({ code: 0 });
      expect(await pman('wait', '--timeout', 'soon', id)).toMatchObject({ code: 2 });
    });
  });

  describe('rerun', () => {
    it('runs the same again, or with changes, and prints the new id', async () => {
      const id = (await printed('run', '--name', 'again', 'printenv A || echo none')).trim();
      await pman('wait', id);
      const again = (await printed('rerun', id)).trim();
      await pman('wait', again);
      expect(await printed('logs', again)).toBe('none\n');
      const changed = await pman('rerun', '-f', '--env', 'A=b', id);
      expect(changed).toMatchObject({ code: 0, stdout: 'b\n' });
      expect(await printed('rerun', '--dry-run', id)).toContain(`${id} again would run again`);
      expect((await api.job(again)).rerunOf).toContain(id);
    });
  });

  describe('kill, rm and clean', () => {
    it('ask before several are lost, and do nothing where nobody can be asked', async () => {
      for (const n of [1, 2]) await printed('run', '--name', `lost-${n}`, 'sleep 60');
      const refused = await pman('kill', 'lost-*');
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toMatch(
        /^pman: kill 2 jobs \(.*lost-.*\): nothing was done\n {2}say -y/,
      );
      expect(await printed('kill', '--dry-run', 'lost-*')).toMatch(
        /would be killed\n.*would be killed\n$/,
      );
      expect((await printed('ls', 'lost-*', 'running', '-q')).trim().split('\n')).toHaveLength(2);
      expect((await printed('kill', '-y', 'lost-*')).match(/\tkilled\n/g)).toHaveLength(2);
      expect(await pman('rm', 'lost-*')).toMatchObject({ code: 2 });
      const dry = JSON.parse(await printed('rm', '--dry-run', '--json', 'lost-*'));
      expect(dry).toEqual({ dryRun: true, jobs: [1, 2].map(() => ({ id: expect.any(String) })) });
      const { stderr } = await pman('show', '@0');
      expect(stderr).toMatch(/there is no @0: \S+ has ([2-9]|\d\d) jobs; @1 is the newest one/);
      expect(await printed('rm', '-y', 'lost-*')).toMatch(/removed\n.*removed\n$/);
      expect(await pman('show', 'lost-1')).toMatchObject({ code: 1 });
    });

    it('kill offers KILL only after a signal that was sent to end the job', async () => {
      const command = 'trap "" TERM; echo up; while :; do sleep 0.1; done';
      const id = (await printed('run', '--name', 'deaf', '--', 'sh', '-c', command)).trim();
      await eventually(async () => (await pman('logs', id)).stdout === 'up\n');
      expect(await printed('kill', '-s', 'STOP', id)).toBe(`${id}\tdeaf\twas sent STOP\n`);
      expect(await printed('kill', '-s', '18', id)).toBe(`${id}\tdeaf\twas sent 18\n`);
      const deaf = await printed('kill', '--grace', '60s', id);
      expect(deaf).toBe(`${id}\tdeaf\twas sent TERM and still runs; pman kill -s KILL ${id}\n`);
      await printed('kill', '-s', 'KILL', id);
    });

    it('kill takes a pattern for those alone that have not ended', async () => {
      for (const n of [1, 2]) await pman('run', '-f', '--name', `w${n}`, 'true');
      const id = (await printed('run', '--name', 'w3', 'exec sleep 60')).trim();
      expect(await printed('kill', '--dry-run', 'w?')).toBe(`${id} w3 would be killed\n`);
      // One alone is no question.
      expect(await printed('kill', 'w?')).toBe(`${id}\tw3\tkilled\n`);
      expect(await pman('kill', 'w?')).toEqual({
        ...{ code: 1, stdout: '' },
        stderr: 'pman: the jobs that "w?" names have all ended\n',
      });
      expect(await pman('kill', id)).toMatchObject({ code: 1, stdout: '' });
    });

    it('rm takes a pattern for those alone that have ended', async () => {
      await pman('run', '-f', '--name', 'v1', 'true');
      const id = (await printed('run', '--name', 'v2', 'exec sleep 60')).trim();
      expect(await printed('rm', '--dry-run', 'v?')).toMatch(/^\S+ v1 would be removed\n$/);
      expect(await printed('rm', 'v?')).toMatch(/^\S+\tv1\tremoved\n$/);
      expect(await pman('rm', 'v?')).toEqual({
        ...{ code: 1, stdout: '' },
        stderr: 'pman: the jobs that "v?" names have not ended\n',
      });
      await pman('kill', id);
    });

    it('say what they could not do, and do the rest', async () => {
      const running = (await printed('run', 'sleep 60')).trim();
      const done = (await printed('run', 'true')).trim();
      await pman('wait', done);
      const removed = await pman('rm', running, done);
      expect(removed).toMatchObject({ code: 1, stdout: `${done}\ttrue\tremoved\n` });
      expect(removed.stderr).toContain(`pman: ${running} sleep: `);
      expect(removed.stderr).toContain(`\n  pman kill ${running} ends it\n`);
      const killed = await pman('kill', '-s', 'KILL', running, '--json');
      expect(JSON.parse(killed.stdout)).toMatchObject({
        jobs: [{ state: 'killed', exitCode: -9 }],
      });
    });

    it('clean removes what ended well, keeps what failed, and removes that when it is asked to', async () => {
      const own = await startServer();
      const clean = (...argv: string[]) => pmanVerb(own, argv);
      try {
        await clean('run', '-f', 'true');
        for (const _ of [1, 2]) await clean('run', '-f', 'false');
        await clean('run', 'sleep 60');
        expect(await clean('clean', '--older', '1h', '-y')).toMatchObject({
          stdout: '0 removed\n',
        });
        expect(await clean('clean')).toMatchObject({ code: 0, stdout: '1 removed\n' });
        expect(await clean('clean', '-a')).toMatchObject({ code: 2, stdout: '' });
        expect(await clean('clean', '-ay')).toMatchObject({ code: 0, stdout: '2 removed\n' });
        // One that failed is asked for as several are.
        await clean('run', '-f', 'false');
        expect(await clean('clean', '-a')).toMatchObject({ code: 2, stdout: '' });
        expect(await clean('clean', '-ay')).toMatchObject({ code: 0, stdout: '1 removed\n' });
        expect((await clean('ls', '-o', 'state')).stdout).toBe('running\n');
        await clean('kill', 'running');
      } finally {
        await endServer(own);
      }
    });
  });

  describe('a wrong command line', () => {
    it.each([
      [['stat'], 'there is no command "stat"\n  near it: status\n'],
      [['lss'], 'there is no command "lss"\n  near it: ls\n'],
      [['lst'], 'there is no command "lst"\n  near it: list\n'],
      [['ls', '--runing'], 'ls: there is no --runing; is it --running?\n'],
      [['help', 'nothing'], 'there is no command "nothing"'],
    ])('%j is told what may have been meant', async (argv, message) => {
      const { code, stdout, stderr } = await pman(...argv);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr.startsWith(`pman: ${message}`)).toBe(true);
      expect(stderr.split('\n').length).toBeLessThanOrEqual(4);
    });

    it('is told where flags stand that are before the command', async () => {
      const { code, stderr } = await pman('--server', 'http://lab:5010', 'ls');
      expect(code).toBe(2);
      expect(stderr).toContain('the flags of a command stand behind it, as in pman ls --json');
      expect((await pman('--nosuch')).stderr).toBe(
        "pman: unknown option '--nosuch'\npman: pman serve --help lists the flags\n",
      );
    });

    it('shows where in the program an error came up only when that is asked for', async () => {
      const away = ['ls', '--server', 'http://127.0.0.1:9'];
      expect((await pman(...away)).stderr).toMatch(/^(?!.*\n {4}at )pman: /s);
      expect((await pman(...away, '--debug')).stderr).toMatch(/^PmanClientError: .*\n {4}at /s);
    });

    it('gets help anywhere', async () => {
      expect(await printed('--help')).toMatch(/^pman run -f/);
      expect(await printed('help')).toBe(await printed('-h'));
      expect(await printed('logs', 'x', '-h')).toBe(await printed('help', 'log'));
      expect(await printed('help', 'exit-codes')).toContain('124');
      expect(await printed('serve', '--help')).toContain('--DBpath');
    });
  });
});

describe('a server with tokens', () => {
  let server: TestServer;
  const token = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
  let file: string;
  beforeAll(async () => {
    server = await startServer({
      ownFlags: ({ home, DBpath }) => {
        file = join(home, 'tokens');
        writeFileSync(file, `${token}\n`, { mode: 0o600 });
        return [
          '--ip',
          '127.0.0.1',
          '--port',
          '0',
          '--DBpath',
          DBpath,
          '--enableTokenAuth',
          '--tokenPath',
          file,
        ];
      },
    });
  });
  afterAll(() => endServer(server));

  it('is spoken to with the token of the environment or of a file, and says when there is none', async () => {
    expect(await pmanVerb(server, ['ls'])).toMatchObject({ code: 1, stdout: '' });
    expect(await pmanVerb(server, ['run', 'true'])).toMatchObject({ code: 125 });
    expect(await pmanVerb(server, ['ls'], { env: { PMAN_TOKEN: token } })).toMatchObject({
      code: 0,
    });
    expect(await pmanVerb(server, ['run', '--token-file', file, 'true'])).toMatchObject({
      code: 0,
    });
    const wrong = await pmanVerb(server, ['ls', '--json'], { env: { PMAN_TOKEN: 'b'.repeat(40) } });
    expect(JSON.parse(wrong.stderr)).toMatchObject({ code: 'unauthorized', status: 401 });
  });
});
