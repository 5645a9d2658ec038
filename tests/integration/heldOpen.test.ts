import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { itWithEngine, notRoot } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, resultOf, runJob, untilEnded } from '../helpers/pman.ts';
import { said } from '../helpers/said.ts';
import { builtProgram, checkout, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** A number that Node does not look at when it starts: those below it are not all taken. */
const FD = 222;
/** What a command has open: its streams, and the folder that `ls` reads. */
const ASK = 'ls /proc/self/fd';
const OWN = '0\n1\n2\n3\n';
const WITHOUT = { NODE_OPTIONS: `--require ${join(checkout, 'tests/fixtures/withoutKoffi.cjs')}` };

/** A shell that holds a file open, and becomes the program. */
const holding = (file: string, program: readonly string[]): readonly string[] => [
  ...['bash', '-c', `exec ${FD}>"$0"; exec "$@"`, file],
  ...program,
];

/** Which of these processes have the file open. */
const holdersOf = (file: string, pids: readonly number[]) =>
  pids.filter((pid) =>
    readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === file),
  );

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // it was closed meanwhile
  }
}

describe('what the shell holds open that started pman', () => {
  let server: TestServer;
  afterEach(() => endServer(server));

  async function answers(file: string, how: { flags?: string[]; env?: Record<string, string> }) {
    server = await startServer({ ...how, command: holding(file, builtProgram('pman')) });
    const long = await runJob(server, 'echo on; exec sleep 600');
    await eventually(async () => (await resultOf(server, long)).stdout[0] === 'on\n', {
      message: 'a job to run',
    });
    const { stdout } = await untilEnded(server, await runJob(server, ASK));
    const children = server.children();
    return {
      open: stdout[0],
      names: children.map(({ command }) => command),
      holders: holdersOf(file, [server.pid, ...children.map(({ pid }) => pid)]),
    };
  }

  it('stays with pman: neither a job has it, nor the runner, nor the copier of outputs', async () => {
    const { open, names, holders } = await answers(join(tempDir(), 'secret'), {});
    expect(open).toBe(OWN);
    for (const name of ['runnerProcess', 'outputCopierProcess', 'sleep 600'])
      expect(names).toContainEqual(expect.stringContaining(name));
    expect(holders).toEqual([server.pid]);
  });

  itWithEngine('is not for jobs of another user', notRoot, async () => {
    const flags = ['--jobUser', 'nobody'];
    const { open, holders } = await answers(join(tempDir(), 'secret'), { flags });
    expect([open, holders]).toEqual([OWN, [server.pid]]);
  });

  it('is closed by the runner where koffi cannot be loaded', async () => {
    const { open, holders } = await answers(join(tempDir(), 'secret'), { env: WITHOUT });
    expect([open, holders]).toEqual([OWN, [server.pid]]);
    await said(server, String(FD));
  });

  it('is a lock that ends with pman, while a job goes on', async () => {
    const lock = join(tempDir(), 'lock');
    await answers(lock, {});
    const take = () => spawnSync('flock', ['-n', lock, 'true']).status;
    await server.stop();
    expect(server.children().some(({ command }) => command === 'sleep 600')).toBe(true);
    expect(take()).toBe(0);
  });
});

describe('what the shell holds open that started crunner', () => {
  const crunner = (env: Record<string, string> = {}) => {
    const [file = '', ...args] = holding(join(tempDir(), 'secret'), builtProgram('crunner'));
    const words = [...args, '-v', '-1', '-c', ASK, '--showStdOut'];
    return spawnSync(file, words, { encoding: 'utf8', env: { ...process.env, ...env } });
  };

  it('is not for its command', () => {
    const { status, stdout, stderr } = crunner();
    expect([status, stdout.trim(), stderr]).toEqual([0, OWN.trim(), '']);
  });

  it('is told of where koffi cannot be loaded', () => {
    const { status, stderr } = crunner(WITHOUT);
    expect(status).toBe(0);
    expect(stderr).toMatch(new RegExp(`^crunner: .*descriptors .*\\b${FD}\\b`));
  });
});
