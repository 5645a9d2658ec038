import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { requestBytes, Wire } from '../helpers/http.ts';
import { within } from '../helpers/patience.ts';
import {
  act,
  command,
  endServer,
  expectListener,
  isRunning,
  makeGate,
  replyOf,
  resultOf,
  runJob,
  statesOf,
  untilEnded,
} from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

const MIB = 1024 * 1024;

describe('a server with one listener', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({
      flags: ['--listeners', '1'],
      env: { FROM_PMAN: 'a value; "with" $signs\nand a line', PMAN_VERBOSITY: '1' },
    });
  });
  afterAll(async () => {
    await expectListener(server);
    await endServer(server);
  });

  const finished = async (cmd: string) => untilEnded(server, await runJob(server, cmd));

  describe('run', () => {
    it('answers at once when threaded, while the job goes on', async () => {
      const gate = makeGate(server);
      const jid = await runJob(server, `echo begun; ${gate.wait}; exit 4`);
      await eventually(async () => (await resultOf(server, jid)).returncode.length > 1);
      expect(await statesOf(server, jid)).toEqual(['started']);
      expect(await resultOf(server, jid)).toMatchObject({
        status: 'started',
        returncode: [0, null],
        stdout: ['begun\n', ''],
      });
      gate.open();
      const ended = await untilEnded(server, jid);
      expect(ended).toMatchObject({ status: 'finishedWithError', returncode: [0, 0, 4] });
    });

    it('answers when the job has ended, with status true, when not threaded', async () => {
      const started = performance.now();
      const meta = { cmd: 'sleep 0.3; echo slept; exit 3', auid: 'a', jid: 'sync' };
      const answer = await act(server, 'run', meta);
      expect(performance.now() - started).toBeGreaterThan(290);
      const reply = answer.json() as Record<string, unknown>;
      const { jobRoot } = await resultOf(server, 'sync');
      expect([answer.status, reply.status]).toEqual([200, true]);
      expect(reply.d_ret).toMatchObject({ jobRoot });
      expect(reply.meta).toEqual(meta);
      expect((await resultOf(server, 'sync')).returncode).toEqual([0, 0, 3]);
    });

    it.each([
      ['"false"', 'false'],
      ['1', 1],
      ['[0]', [0]],
      ['{"a": 0}', { a: 0 }],
    ])('takes threaded %s for true, as Python does', async (_shown, threaded) => {
      const gate = makeGate(server);
      const jid = await runJob(server, gate.wait, { threaded });
      gate.open();
      expect((await untilEnded(server, jid)).returncode).toEqual([0]);
    });

    it('is answered when its job ends, and others meanwhile', async () => {
      const gates = [makeGate(server), makeGate(server)];
      let answered = 0;
      const waiting = gates.map(({ wait }, i) =>
        server.post('run', { cmd: wait, auid: 'a', jid: `held-${i}` }).finally(() => {
          answered += 1;
        }),
      );
      await eventually(
        () => server.children().filter((p) => p.command.includes('until')).length >= 2,
      );
      expect((await server.post('hello', { askAbout: 'timestamp' })).status).toBe(true);
      expect(answered).toBe(0);
      gates[0]?.open();
      expect((await waiting[0])?.status).toBe(true);
      expect(answered).toBe(1);
      gates[1]?.open();
      expect((await waiting[1])?.status).toBe(true);
    });

    it('goes on with the job of a client that goes away', async () => {
      for (let i = 0; i < 3; i += 1) {
        const meta = { cmd: 'sleep 0.1; echo alone', auid: 'a', jid: `left-${i}` };
        const wire = await Wire.open(server.port);
        await wire.send(requestBytes('POST', '/', { body: command('run', meta) }));
        await eventually(async () => (await statesOf(server, `left-${i}`)).length === 1);
        wire.destroy();
        expect((await untilEnded(server, `left-${i}`)).stdout.join('')).toBe('alone\n');
      }
      await expectListener(server);
    });
  });

  describe('a job', () => {
    it('of several parts runs them all in order, each with its own output and code', async () => {
      const parts = [
        'echo a',
        ' false ',
        'cd /',
        'pwd',
        'echo e >&2',
        'exit 137',
        'kill -9 $$',
        '',
      ];
      const result = await finished(parts.join(';'));
      expect(result).toMatchObject({
        cmd: parts,
        status: 'finishedWithError',
        returncode: [0, 1, 0, 0, 0, 137, -9, 0],
        stderr: ['', '', '', '', 'e\n', '', '', ''],
      });
      expect(result.stdout).toEqual(['a\n', '', '', `${server.folders.cwd}\n`, '', '', '', '']);
    });

    it.each([
      ['true', 'finishedSuccessfully'],
      ['false', 'finishedWithError'],
      ['true; true', 'finishedSuccessfully'],
      ['true; false', 'finishedWithError'],
      ['false; true', 'finishedWithError'],
      ['kill -15 $$', 'finishedWithError'],
    ])('%j is %s', async (cmd, state) => {
      const jid = await runJob(server, cmd);
      await untilEnded(server, jid);
      expect(await statesOf(server, jid)).toEqual([state]);
    });

    it('has the environment of pman without its settings, its folder, nothing to read and no other open files', async () => {
      const result = await finished(
        'printf %s "$FROM_PMAN"; pwd; cat | wc -c; ls /proc/self/fd | wc -l',
      );
      expect(result.stdout.slice(0, 3)).toEqual([
        'a value; "with" $signs\nand a line',
        `${server.folders.cwd}\n`,
        '0\n',
      ]);
      // Whatever started this test may have left files open for everybody.
      const anyones = execFileSync('/bin/sh', ['-c', 'ls /proc/self/fd | wc -l'], {
        encoding: 'utf8',
      });
      expect(result.stdout[3]).toBe(anyones);
      const { stdout } = await finished('env');
      const own = readFileSync(`/proc/${server.pid}/environ`, 'utf8');
      const names = (text: string) =>
        text
          .split(/\n/)
          .map((line) => line.split('=')[0] ?? '')
          .filter(
            (name) =>
              /^(?!PMAN_|DOCKER_)[A-Z_a-z]\w*$/.test(name) &&
              !['PWD', 'OLDPWD', '_', 'SHLVL'].includes(name),
          );
      // By this one a kill finds what has left the job's process group.
      const ownNames = [...names(own.replaceAll('\0', '\n')), 'JOB_OF_PMAN'];
      expect(new Set(names(stdout.join('')))).toEqual(new Set(ownNames));
    });

    it("is a session of its own, so that pman's terminal does not reach it", async () => {
      const { stdout } = await finished('cut -d" " -f1,5,6 /proc/$$/stat');
      const [pid, group, session] = stdout.join('').trim().split(' ');
      expect([group, session]).toEqual([pid, pid]);
    });

    it('may write what is no UTF-8, and line ends of any kind', async () => {
      const { stdout, stderr } = await finished(
        "printf 'a\\377b\\303\\n' && printf 'x\\r\\ny\\rz\\n\\000\\033[31m' >&2",
      );
      expect(stdout).toEqual(['a\ufffdb\ufffd\n']);
      expect(stderr).toEqual(['x\ny\rz\n\0\u001b[31m']);
    });

    it('may write 5 MB: the record holds head and tail and says what is missing', async () => {
      const { stdout, jobRoot } = await finished('seq 1 730000');
      const text = stdout[0] ?? '';
      expect(text.length).toBeLessThan(1.1 * MIB);
      expect(text.startsWith('1\n2\n3\n')).toBe(true);
      expect(text.endsWith('729999\n730000\n')).toBe(true);
      expect(text).toMatch(/\n\[… \d+ of 4998895 bytes left out …\]\n/);
      const spool = join(`${server.folders.DBpath}.spool`, 'jobs', jobRoot, '0.out');
      expect(readFileSync(spool).length).toBe(4_998_895);
    });

    it('may have many parts with much output, and others are served meanwhile', async () => {
      const part = "head -c 1000000 /dev/zero | tr '\\000' x";
      const jid = await runJob(server, Array(30).fill(part).join(';'));
      let slowestMs = 0;
      for (let state = ''; !state.startsWith('finished'); ) {
        const started = performance.now();
        [state = ''] = await statesOf(server, jid);
        slowestMs = Math.max(slowestMs, performance.now() - started);
      }
      expect(slowestMs).toBeLessThan(within(1500));
      const { stdout } = await resultOf(server, jid);
      expect(stdout).toHaveLength(30);
      for (const text of stdout)
        expect(text).toMatch(/^x{5000}[\s\S]*of 1000000 bytes left out[\s\S]*x$/);
    });

    it('ends with its shell, whatever it left in the background', async () => {
      const { stdout, returncode } = await finished('sleep 20 & echo $!');
      expect(returncode).toEqual([0]);
      const pid = Number(stdout[0]);
      expect(isRunning(pid)).toBe(true);
      process.kill(pid, 'SIGKILL');
    });

    it('shows what it has written so far', async () => {
      const gate = makeGate(server);
      const jid = await runJob(server, `printf 'so far' && ${gate.wait}`);
      await eventually(async () => (await resultOf(server, jid)).stdout[0] === 'so far');
      gate.open();
      await untilEnded(server, jid);
    });
  });

  describe('what clients ask about jobs', () => {
    it('sees the end of a job within 50 ms', async () => {
      const lateMs: number[] = [];
      for (let i = 0; i < 9; i += 1) {
        const jid = await runJob(server, 'date +%s%N');
        let seenAt = 0;
        await eventually(
          async () => {
            const [state] = await statesOf(server, jid);
            seenAt = Date.now();
            return state?.startsWith('finished');
          },
          { pollMs: 1 },
        );
        const { stdout } = await resultOf(server, jid);
        lateMs.push(seenAt - Number(stdout[0]) / 1e6);
      }
      lateMs.sort((a, b) => a - b);
      expect(lateMs[4]).toBeLessThan(within(50));
    });

    it('done, info and search tell of a job, running and ended', async () => {
      const gate = makeGate(server);
      const jid = await runJob(server, `echo out;${gate.wait}`);
      const search = { key: 'jid', value: jid };
      await eventually(async () => (await resultOf(server, jid)).returncode.length === 2);
      const { jobRoot } = await resultOf(server, jid);
      expect((await server.post('done', search)).d_ret).toEqual({
        '0.container': { jobRoot, tree: null },
        '0.start': { jobRoot, startTrigger: [true, true] },
        '0.end': { jobRoot, returncode: [0] },
      });
      gate.open();
      await untilEnded(server, jid);
      expect((await server.post('info', search)).d_ret).toEqual({
        '0.0': { [jobRoot]: { startInfo: { allJobsStarted: true } } },
        '0.1': { [jobRoot]: { endInfo: { allJobsDone: true } } },
      });
      expect((await server.post('search', { ...search, job: '0', field: 'stdout' })).d_ret).toEqual(
        {
          0: { [jobRoot]: { end: { 0: { endInfo: { 0: { stdout: 'out\n' } } } } } },
        },
      );
      expect((await server.post('search', { ...search, path: '/jobCount/' })).d_ret).toEqual({
        0: { [jobRoot]: { jobCount: 2 } },
      });
      expect((await server.post('get', { path: `/${jobRoot}/jid` })).d_ret).toEqual({
        [jobRoot]: { jid },
      });
      expect((await server.post('search', { key: 'auid', value: 'tester' })).status).toBe(true);
    });

    it('say so when there is no such job', async () => {
      const search = { key: 'jid', value: 'no such job' };
      expect(await server.post('status', search)).toMatchObject({
        status: false,
        d_ret: { '-1.start': { startTrigger: null }, l_status: [], l_logs: [] },
      });
      expect(await server.post('info', search)).toMatchObject({ status: false });
      for (const action of ['result', 'kill', 'delete']) {
        const answer = await act(server, action, search);
        expect([answer.status, replyOf(answer).error?.code]).toEqual([404, 'not_found']);
      }
    });

    it('hello says who is there', async () => {
      const asking = async (meta: object) => (await server.post('hello', meta)).d_ret;
      expect(await asking({ askAbout: 'timestamp' })).toMatchObject({
        name: 'pman',
        timestamp: { now: expect.stringMatching(/^\d{14}\.\d{6}$/) },
      });
      const { sysinfo } = (await asking({ askAbout: 'sysinfo' })) as { sysinfo: object };
      expect(Object.keys(sysinfo)).toEqual([
        ...['system', 'machine', 'platform', 'uname', 'version', 'memory', 'cpucount', 'loadavg'],
        ...['cpu_percent', 'hostname', 'inet'],
      ]);
      expect(await asking({ askAbout: 'nothing' })).toEqual({
        name: 'pman',
        version: expect.any(String),
      });
    });
  });
});
