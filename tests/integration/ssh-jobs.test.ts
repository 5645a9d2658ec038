import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isAlive, numberIn } from '../helpers/crunnerProgram.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { act, endServer, replyOf, resultOf, runJob, untilEnded } from '../helpers/pman.ts';
import { type SshServer, sshdMissing, startSshServer } from '../helpers/sshd.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { BY_NAME } from '../helpers/streamsByName.ts';
import { tempDir } from '../helpers/tempDir.ts';

describe('a run with meta.ssh on a server that was not told of hosts', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  it('is refused with 403 in words, and leaves nothing behind', async () => {
    const file = join(tempDir(), 'ran');
    const meta = { cmd: `touch ${file}`, auid: 'a', jid: 'refused', ssh: 'root@127.0.0.1' };
    const answer = await act(server, 'run', meta);
    expect(answer.status).toBe(403);
    expect(replyOf(answer)).toMatchObject({
      status: false,
      error: {
        code: 'forbidden',
        message: 'run: "meta.ssh": this server sends no jobs to other hosts',
        hint: expect.stringContaining('--sshHosts'),
      },
    });
    expect((await server.post('status', { key: 'jid', value: 'refused' })).status).toBe(false);
    expect(readdirSync(server.folders.DBpath)).toEqual([]);
    expect(existsSync(file)).toBe(false);
  });
});

describeWithEngine('host jobs that run on another host', sshdMissing, () => {
  let sshd: SshServer;
  let server: TestServer;
  let ssh = '';

  const flags = (more: readonly string[] = []) => [
    ...['--sshHosts', `nosuch.invalid, ${sshd.user}@127.0.0.1:${sshd.port},localhost:1`],
    ...[`--sshIdentity=${sshd.file('id')}`, `--sshKnownHosts=${sshd.file('known_hosts')}`],
    ...['--killGrace=1', ...more],
  ];
  beforeAll(async () => {
    sshd = startSshServer(tempDir('sshd'));
    ssh = `${sshd.user}@127.0.0.1:${sshd.port}`;
    server = await startServer({ flags: flags() });
  });
  afterAll(async () => {
    await endServer(server);
    sshd.close();
  });

  const run = (cmd: string, meta: object = {}) => runJob(server, cmd, { ssh, ...meta });
  const runToEnd = async (cmd: string, meta: object = {}) =>
    untilEnded(server, await run(cmd, meta), 20_000);
  /** What the record says of the job's first part, as text. */
  const entryOf = async (jid: string) => {
    const { jobRoot } = await resultOf(server, jid);
    const answer = await server.request('GET', `/api/v1/${jobRoot}/start/0/startInfo`);
    return JSON.stringify(answer.json());
  };
  /** Waits for the pid that a command writes to a file. */
  const pidIn = (file: string) => eventually(() => numberIn(file));
  const processOf = (pattern: RegExp) =>
    server.children().filter(({ command }) => pattern.test(command));
  const kill9 = (pattern: RegExp) => {
    const found = processOf(pattern);
    expect(found).toHaveLength(1);
    for (const { pid } of found) process.kill(pid, 'SIGKILL');
  };

  it('run there, with their own exit code and both streams for each part', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the remote shell expands it
    const cmd = 'echo "${SSH_CONNECTION##* }"; echo "it\'s" >&2 && exit 255; kill -9 $$';
    const result = await runToEnd(cmd);
    expect(result).toMatchObject({
      status: 'finishedWithError',
      returncode: [0, 255, 137],
      stdout: [`${sshd.port}\n`, '', ''],
      stderr: ['', "it's\n", ''],
      // A command that exits with 255 is no failed connection.
      cause: [null, null, null],
    });
  });

  it('show in the record where they ran, and what the pid there was', async () => {
    const jid = await run('echo $$');
    const { stdout } = await untilEnded(server, jid);
    const shown = await entryOf(jid);
    expect(shown).toContain(`"pid_remote":${stdout[0]?.trim()}`);
    expect(shown).toContain('"remoteHost":"127.0.0.1"');
    expect(shown).toContain(`"remoteUser":"${sshd.user}","remotePort":${sshd.port}`);
  });

  it.each(BY_NAME)(
    'keep all of %s, in order, also when it is followed: %s',
    async (stream, cmd) => {
      const gate = join(tempDir(), 'gate');
      const wait = `while [ ! -e ${gate} ]; do sleep 0.05; done`;
      const jid = await run(`${cmd} && ${wait}`);
      const { jobRoot } = await resultOf(server, jid);
      const followed = server.request('GET', `/api/v1/${jobRoot}/${stream}?follow=1`);
      const raw = async () => (await server.request('GET', `/api/v1/${jobRoot}/${stream}`)).text;
      await eventually(async () => (await raw()) === 'first\nsecond\nthird\n');
      writeFileSync(gate, '');
      expect((await followed).text).toBe('first\nsecond\nthird\n');
      await untilEnded(server, jid);
    },
  );

  it('keep large outputs apart and whole, and nothing of what went between', async () => {
    const zeros = (letter: string) => `head -c 3000000 /dev/zero | tr '\\0' ${letter}`;
    const jid = await run(`${zeros('o')} && ${zeros('e')} >&2`);
    const { jobRoot } = await untilEnded(server, jid);
    const whole = async (stream: string) =>
      (await server.request('GET', `/api/v1/${jobRoot}/0/${stream}`)).text;
    expect((await whole('stdout')) === 'o'.repeat(3_000_000)).toBe(true);
    expect((await whole('stderr')) === 'e'.repeat(3_000_000)).toBe(true);
    const spool = join(`${server.folders.DBpath}.spool`, 'jobs', jobRoot);
    expect(readdirSync(spool).filter((name) => name.endsWith('.ssh'))).toEqual([]);
  });

  it('get their folder, variables, priority and memory limit on that side', async () => {
    const folder = tempDir("it's");
    const { stdout, stderr } = await runToEnd('pwd && echo "$A $(nice) $(ulimit -v)"', {
      ...{ cwd: folder, env: { A: 'x "y" $z \'q\'\n!' }, nice: 3, memory_limit: '512Mi' },
    });
    expect([stdout, stderr]).toEqual([
      [`${folder}\nx "y" $z 'q'\n! ${getPriority() + 3} 524288\n`],
      [''],
    ]);
  });

  it('run on as many processors as they ask for, if that host has taskset', async () => {
    const jid = await run('taskset -cp $$ | sed "s/.*: //"; echo $i', {
      ...{ cpu_limit: '500m', shell: true, env: { i: 'mine' } },
    });
    const { jobRoot, stdout, stderr } = await untilEnded(server, jid);
    expect(stderr).toEqual(['']);
    expect(stdout[0]).toMatch(/^\d+\nmine\n$/);
    const answer = await server.request('GET', `/api/v2/jobs/${jobRoot}`);
    expect(answer.json()).toMatchObject({
      limits: { cpu: { cpus: 1, by: 'affinity' } },
    });
  });

  it('get their input, each part from its beginning, also with a long command', async () => {
    const stdin = `first\n${'é'.repeat(100_000)}\nlast`;
    const cmd = `head -n 1; wc -c; : ${'y'.repeat(150_000)}; wc -c`;
    const { stdout } = await runToEnd(cmd, { stdin });
    const bytes = `${Buffer.byteLength(stdin)}\n`;
    expect(stdout).toEqual(['first\n', bytes, '', bytes]);
    expect((await runToEnd('cat')).stdout).toEqual(['']);
  });

  it('are ended when they write more than they may, and nothing more is kept of it', async () => {
    const { status, cause, stdout, stderr } = await runToEnd('echo a; yes >&2; echo never', {
      max_output: '10Ki',
    });
    expect(status).toBe('finishedWithError');
    expect(stdout).toEqual(['a\n', '']);
    expect(stderr).toEqual(['', 'y\n'.repeat(5120)]);
    expect(cause[1]).toMatch(/^more than 10240 bytes on stderr of sub-job 1/);
  });

  it('are refused with files, which stay on that host', async () => {
    const meta = { cmd: 'true', auid: 'a', jid: 'files', ssh, files: ['*'] };
    const answer = await act(server, 'run', meta);
    expect(answer.status).toBe(400);
    expect(replyOf(answer)).toMatchObject({
      error: { message: 'run: "meta.files": is not for jobs on other hosts' },
    });
  });

  it('carry a command that no argument can hold, with its limits', async () => {
    const folder = tempDir();
    const cmd = `: '${'$'.repeat(200_000)}'; pwd && nice && exit 3`;
    const result = await runToEnd(cmd, { cwd: folder, nice: 2 });
    expect(result).toMatchObject({
      returncode: [0, 3],
      stdout: ['', `${folder}\n${getPriority() + 2}\n`],
    });
  });

  it('say on stderr when the folder is not there, and do not run elsewhere', async () => {
    const { returncode, stdout, stderr } = await runToEnd('echo ran', { cwd: '/no/such' });
    expect([returncode, stdout]).toEqual([[126], ['']]);
    expect(stderr[0]).toContain('/no/such');
  });

  it('show their stderr while they run', async () => {
    const file = join(tempDir(), 'go');
    const jid = await run(`echo early >&2 && until [ -e ${file} ]; do sleep 0.05; done`);
    await eventually(async () => (await resultOf(server, jid)).stderr[0] === 'early\n', {
      message: 'the stderr of a job that runs',
    });
    await server.post('kill', { key: 'jid', value: jid });
    await untilEnded(server, jid);
  });

  it.each<readonly [what: string, meta: object, status: number, message: RegExp]>([
    ['another host', { ssh: 'u@127.0.0.2' }, 403, /jobs may not go to u@127\.0\.0\.2:22/],
    ['another port', { ssh: 'root@127.0.0.1' }, 403, /may not go to root@127\.0\.0\.1:22/],
    ['a flag for a host', { ssh: 'u@-oProxyCommand=x' }, 400, /not an ssh target/],
    ['a flag for a user', { ssh: '-lroot@h' }, 400, /not an ssh target/],
    ['a line break', { ssh: 'u@h\n' }, 400, /not an ssh target/],
    ['a blank', { ssh: 'u@h -v' }, 400, /not an ssh target/],
    ['a token', { ssh: 'u@%h' }, 400, /not an ssh target/],
    ['no user', { ssh: 'localhost:1' }, 400, /not an ssh target/],
    ['an object', { ssh: { host: 'h' } }, 400, /"meta.ssh": is not a string/],
    ['a container', { container: {} }, 400, /container job cannot go to another host/],
    ['a relative folder', { cwd: 'x' }, 400, /"x" is no absolute path/],
    [
      '200 KB of variables',
      { env: { A: 'x'.repeat(100_000), B: 'x'.repeat(100_000) } },
      400,
      /too long for ssh/,
    ],
  ])('refuse in a sentence, and record nothing: %s', async (_what, meta, status, message) => {
    const jid = 'never';
    const answer = await act(server, 'run', { cmd: 'true', auid: 'a', jid, ssh, ...meta });
    expect(answer.status).toBe(status);
    expect(replyOf(answer).error?.message).toMatch(message);
    expect((await server.post('status', { key: 'jid', value: jid })).status).toBe(false);
  });

  it.each([
    ['localhost:1', /^not run: cannot run on u@localhost:1: .*refused/],
    ['nosuch.invalid', /^not run: cannot run on u@nosuch\.invalid:22: .*resolve/],
  ])('say in words that the connection failed: %s', async (host, cause) => {
    const result = await runToEnd('echo a; echo b', { ssh: `u@${host}` });
    expect(result).toMatchObject({ status: 'finishedWithError', returncode: [255], stdout: [''] });
    expect(result.cause).toEqual([expect.stringMatching(cause)]);
  });

  it('say so too when the command has to be put there before', async () => {
    const result = await runToEnd(`: '${'$'.repeat(60_000)}'`, { ssh: 'u@localhost:1' });
    expect(result).toMatchObject({
      returncode: [255],
      cause: [expect.stringMatching(/^not run: .*refused/)],
    });
  });

  it('end on kill, the process group and all, by the signal or after the grace', async () => {
    const [term, hard] = [join(tempDir(), 'pid'), join(tempDir(), 'pid')];
    const inner = (file: string) => `sh -c 'echo $$ >${file}; exec sleep 61' && true`;
    const byTerm = await run(inner(term));
    const byKill = await run(`trap '' TERM && ${inner(hard)}`);
    const pids = [await pidIn(term), await pidIn(hard)];
    for (const jid of [byTerm, byKill]) await server.post('kill', { key: 'jid', value: jid });
    expect(await untilEnded(server, byTerm)).toMatchObject({
      returncode: [143],
      cause: [expect.stringMatching(/^ended by a kill request \(SIGTERM\)$/)],
    });
    expect(await untilEnded(server, byKill)).toMatchObject({
      returncode: [137],
      cause: [expect.stringMatching(/^ended by a kill request \(SIGKILL\)$/)],
    });
    await eventually(() => !pids.some(isAlive), { message: 'the sleepers there to end' });
  });

  it('end on kill with what has left their process group and their session, which gets each signal once', async () => {
    const [daemon, main] = [join(tempDir(), 'pid'), join(tempDir(), 'said')];
    const away = `(setsid sh -c 'echo $$ >${daemon}; exec sleep 63' &)`;
    const jid = await run(
      `trap 'echo TERM >>${main}' TERM && ${away} && while true; do sleep 0.1; done`,
    );
    const pid = await pidIn(daemon);
    await server.post('kill', { key: 'jid', value: jid });
    expect(await untilEnded(server, jid)).toMatchObject({ returncode: [137] });
    await eventually(() => !isAlive(pid), { message: 'what had left the session to end' });
    expect(readFileSync(main, 'utf8')).toBe('TERM\n');
  });

  it('end at their time limit', async () => {
    const file = join(tempDir(), 'pid');
    const jid = await run(`echo $$ >${file} && exec sleep 62; echo never`, { timeout: 1.5 });
    const pid = await pidIn(file);
    expect(await untilEnded(server, jid)).toMatchObject({
      returncode: [143],
      cause: [expect.stringMatching(/^time limit 1\.5 s/)],
    });
    expect(isAlive(pid)).toBe(false);
  });

  it('all get in when many start at once on a host that lets ten log in at a time', async () => {
    const strict = startSshServer(tempDir('sshd'), '10:100:10');
    const place = `${strict.user}@127.0.0.1:${strict.port}`;
    const other = await startServer({
      flags: [
        ...['--sshHosts', place, '--sshIdentity', strict.file('id')],
        ...['--sshKnownHosts', strict.file('known_hosts')],
      ],
    });
    try {
      const jids = await Promise.all(
        Array.from({ length: 30 }, () => runJob(other, 'true', { ssh: place })),
      );
      const results = await Promise.all(jids.map((jid) => untilEnded(other, jid, 30_000)));
      expect(results.flatMap(({ cause }) => cause).filter((cause) => cause !== null)).toEqual([]);
      expect(results.map(({ returncode }) => returncode)).toEqual(jids.map(() => [0]));
    } finally {
      await endServer(other);
      strict.close();
    }
  });

  describe('when what watches them dies', () => {
    const folder = tempDir();
    let jobs = 0;
    /** A job that says that it runs, and goes on when its file is made by `go`. */
    const waiting = (then: string) => {
      jobs += 1;
      const base = join(folder, String(jobs));
      const cmd = `echo $$ >${base}.pid && until [ -e ${base}.go ]; do sleep 0.05; done && ${then}`;
      return {
        ...{ cmd, client: RegExp(`^ssh .*${base}\\.pid`) },
        pid: () => pidIn(`${base}.pid`),
        go: () => writeFileSync(`${base}.go`, ''),
      };
    };
    afterEach(async () => {
      if (!server.isRunning) await server.restart();
    });

    it('pman killed: they go on and are recorded with their real end', async () => {
      const job = waiting('echo err >&2 && echo out && exit 7; echo after');
      const jid = await run(job.cmd);
      await job.pid();
      await server.kill9();
      job.go();
      await server.restart();
      expect(await untilEnded(server, jid)).toMatchObject({
        ...{ returncode: [7, 0], stdout: ['out\n', 'after\n'], stderr: ['err\n', ''] },
        cause: [null, null],
      });
      expect(await entryOf(jid)).toContain('"pid_remote":');
    });

    it('the runner killed: the next one learns the exit code, and goes on with the next part', async () => {
      const job = waiting('echo late >&2 && echo out && exit 7; echo after');
      const jid = await run(`echo early >&2 && ${job.cmd}`);
      await job.pid();
      kill9(/runnerProcess/);
      job.go();
      expect(await untilEnded(server, jid)).toMatchObject({
        ...{ returncode: [7, 0], stdout: ['out\n', 'after\n'], stderr: ['early\nlate\n', ''] },
        cause: [null, null],
      });
    });

    it('both killed, then a kill request: it reaches the other side', async () => {
      const job = waiting('true');
      const jid = await run(job.cmd);
      const pid = await job.pid();
      await server.kill9();
      kill9(/runnerProcess/);
      await server.restart();
      await server.post('kill', { key: 'jid', value: jid });
      expect(await untilEnded(server, jid)).toMatchObject({ returncode: [143] });
      expect(isAlive(pid)).toBe(false);
    });

    it('the connection lost: the job is lost, and its command does not run on unseen', async () => {
      const job = waiting('true; echo never');
      const jid = await run(job.cmd);
      const pid = await job.pid();
      await eventually(async () => (await entryOf(jid)).includes('"pid_remote":'));
      kill9(job.client);
      const result = await untilEnded(server, jid, 15_000);
      expect(result).toMatchObject({ status: 'lost', returncode: [null] });
      expect(result.cause[0]).toMatch(
        RegExp(`^the connection to ${ssh} was lost.* \\(pid ${pid}\\) was still running and was`),
      );
      expect(isAlive(pid)).toBe(false);
    });

    it('the client, while it is connecting: the job is lost, since nobody knows whether it has begun', async () => {
      const silent = createServer().listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const place = `nobody@127.0.0.1:${(silent.address() as AddressInfo).port}`;
      await server.restart(['--sshHosts', place]);
      const connected = once(silent, 'connection');
      const jid = await run('echo connecting; echo never', { ssh: place });
      const [socket] = (await connected) as [Socket];
      kill9(/^ssh .*echo connecting/);
      const result = await untilEnded(server, jid, 15_000);
      expect(result).toMatchObject({ status: 'lost', returncode: [null] });
      expect(result.cause[0]).toMatch(/ended before it was known whether the command had begun$/);
      socket.destroy();
      silent.close();
      await server.restart(flags());
    });

    it('the host gone: the record says that the command may still run there', async () => {
      const other = startSshServer(tempDir('sshd'));
      const place = `${other.user}@127.0.0.1:${other.port}`;
      await server.restart([
        ...['--sshHosts', place, '--sshIdentity', other.file('id')],
        ...['--sshKnownHosts', other.file('known_hosts')],
      ]);
      const job = waiting('true');
      const jid = await run(job.cmd, { ssh: place });
      const pid = await job.pid();
      other.close();
      kill9(job.client);
      const result = await untilEnded(server, jid, 30_000);
      expect(result.status).toBe('lost');
      expect(result.cause[0]).toMatch(/cannot be reached again .*may still run there as pid \d+/);
      expect(isAlive(pid)).toBe(true);
      process.kill(pid, 'SIGKILL');
      await server.restart(flags());
    });
  });
});

describe('pman started with ssh settings that cannot be', () => {
  it.each([
    [['--sshHosts', '-oX=y'], /--sshHosts "-oX=y" is none of host, host:port/],
    [['--sshHosts', 'h', '--sshIdentity', '/no/such'], /--sshIdentity "\/no\/such" cannot be read/],
  ])('does not start: %j', async (flags, words) => {
    await expect(startServer({ flags })).rejects.toThrow(words);
  });
});
