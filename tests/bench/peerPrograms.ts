import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How many jobs each program runs at once. */
export const AT_ONCE = 8;

/** A program that runs commands, to be compared with pman. */
export interface Peer {
  readonly name: string;
  /** What it keeps of a job, and what a crash takes. */
  readonly keeps: string;
  /** The most jobs that are worth the wait; undefined: as many as asked for. */
  readonly atMost?: number;
  /** Its version; undefined when it is not here. */
  version(): string | undefined;
  /**
   * Runs `true` so many times.
   * @param folder an empty one for its files
   * @returns seconds from the first submission to the last end that is known
   */
  run(jobs: number, folder: string): Promise<number>;
}

const home = process.env.PMAN_PEERS || join(homedir(), '.cache/pman-peers');

/** The first line that a program prints about itself; undefined when it cannot be started. */
function said(program: string, ...args: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return error === undefined ? `${stdout}${stderr}`.split('\n')[0]?.trim() : undefined;
}

/** Runs a command once for each number, `AT_ONCE` of them at a time, as a shell user would; seconds. */
async function submitAll(
  jobs: number,
  command: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const child = spawn('xargs', ['-P', String(AT_ONCE), '-I', '{}', ...command], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env,
  });
  child.stdin.end(Array.from({ length: jobs }, (_, i) => i).join('\n'));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${command.join(' ')}: exit ${code}`);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

const xargs: Peer = {
  name: 'xargs',
  keeps: 'nothing',
  version: () => said('xargs', '--version'),
  run: (jobs) => seconds(() => submitAll(jobs, ['sh', '-c', 'true'])),
};

const spawnLoop: Peer = {
  name: 'a loop of spawn in Node',
  keeps: 'nothing',
  version: () => `Node ${process.versions.node}`,
  run: (jobs) =>
    seconds(async () => {
      let next = 0;
      const worker = async () => {
        while (next++ < jobs)
          await once(spawn('/bin/sh', ['-c', 'true'], { stdio: 'ignore' }), 'exit');
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    }),
};

const taskSpooler: Peer = {
  name: 'task-spooler',
  keeps: 'exit codes, in memory: a crash takes all; outputs as files in /tmp (off here)',
  version: () => said('tsp', '-V'),
  async run(jobs, folder) {
    const env = {
      ...process.env,
      TS_SOCKET: join(folder, 'socket'),
      TS_MAXFINISHED: String(jobs + 1),
      TMPDIR: folder,
    };
    execFileSync('tsp', ['-S', String(AT_ONCE)], { env });
    try {
      return await seconds(async () => {
        await submitAll(jobs, ['tsp', '-n', 'true'], env);
        // What is listed is queued, running or finished.
        while (/ (queued|running) /.test(execFileSync('tsp', { env, encoding: 'utf8' })))
          await sleep(10);
      });
    } finally {
      spawnSync('tsp', ['-K'], { env });
    }
  },
};

const pueueProgram = join(home, 'pueue/bin/pueue');
const pueue: Peer = {
  name: 'pueue',
  keeps:
    'state as one JSON file, written at each change; outputs as files. A crash takes what runs',
  version: () => (existsSync(pueueProgram) ? said(pueueProgram, '--version') : undefined),
  async run(jobs, folder) {
    const config = join(folder, 'pueue.yml');
    const places = `pueue_directory: ${folder}\n  runtime_directory: ${folder}\n  use_unix_socket: true`;
    writeFileSync(config, `client: {}\ndaemon: {}\nshared:\n  ${places}\n`);
    const daemon = spawn(`${pueueProgram}d`, ['--config', config], { stdio: 'ignore' });
    const client = [pueueProgram, '--config', config] as const;
    try {
      const parallel = () =>
        spawnSync(client[0], [...client.slice(1), 'parallel', String(AT_ONCE)], {
          stdio: 'ignore',
        });
      while (parallel().status !== 0) await sleep(100);
      return await seconds(async () => {
        await submitAll(jobs, [...client, 'add', '--', 'true']);
        execFileSync(client[0], [...client.slice(1), 'wait', '--all', '--quiet'], {
          stdio: 'ignore',
        });
      });
    } finally {
      daemon.kill();
      await once(daemon, 'exit');
    }
  },
};

const pm2Program = join(home, 'pm2/node_modules/.bin/pm2');
const pm2Manifest = join(home, 'pm2/node_modules/pm2/package.json');
const versionIn = (manifest: string) =>
  String((JSON.parse(readFileSync(manifest, 'utf8')) as { version?: unknown }).version);
const pm2: Peer = {
  name: 'PM2',
  keeps: 'what runs, in memory (a list by `pm2 save`); outputs as files',
  atMost: 40,
  // Asked itself it would leave a daemon behind.
  version: () => (existsSync(pm2Manifest) ? versionIn(pm2Manifest) : undefined),
  async run(jobs, folder) {
    const env = { ...process.env, PM2_HOME: folder };
    execFileSync(pm2Program, ['ping'], { env, stdio: 'ignore' });
    try {
      return await seconds(async () => {
        const start = [pm2Program, 'start', '--no-autorestart', '--name', 'job-{}', 'true'];
        await submitAll(jobs, start, env);
        while (/"status":"(online|launching)"/.test(listOf(env))) await sleep(50);
      });
    } finally {
      spawnSync(pm2Program, ['kill'], { env, stdio: 'ignore' });
    }
  },
};

const listOf = (env: NodeJS.ProcessEnv) =>
  execFileSync(pm2Program, ['jlist'], { env, encoding: 'utf8', maxBuffer: 1e8 });

const hyperQueueProgram = join(home, 'hq/bin/python3');
const hyperQueue: Peer = {
  name: 'HyperQueue',
  keeps:
    'nothing here (it can write a journal); one submission of all jobs, from its Python package',
  version: () =>
    existsSync(hyperQueueProgram)
      ? said(hyperQueueProgram, '-c', 'import hyperqueue.ffi as f; print(f.get_version())')
      : undefined,
  async run(jobs, folder) {
    const script = `
import sys, time
from hyperqueue import Job
from hyperqueue.cluster import LocalCluster, WorkerConfig
with LocalCluster(sys.argv[2]) as cluster:
    cluster.start_worker(WorkerConfig(cores=${AT_ONCE}))
    client = cluster.client()
    began = time.monotonic()
    job = Job()
    for i in range(int(sys.argv[1])):
        job.program(["/bin/true"], stdout=None, stderr=None)
    client.wait_for_jobs([client.submit(job)])
    print("seconds", time.monotonic() - began, flush=True)
`;
    const args = ['-c', script, String(jobs), folder];
    const [, taken] =
      /seconds ([\d.]+)/.exec(spawnSync(hyperQueueProgram, args, { encoding: 'utf8' }).stdout) ??
      [];
    return Number(taken);
  },
};

const supervisord: Peer = {
  name: 'supervisord',
  keeps: 'what its file names: it has no queue that a command could be added to',
  version: () => undefined,
  run: () => Promise.reject(new Error('cannot be expressed')),
};

/** From those that keep nothing to those that keep much. */
export const peers: readonly Peer[] = [
  ...[xargs, spawnLoop, hyperQueue, taskSpooler, pm2, pueue, supervisord],
];
