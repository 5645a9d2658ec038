import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryMb, processWith, sleeps } from './processFigures.ts';
import { startPman } from './programs.ts';
import { row } from './row.ts';

/** How long it has nothing to do before it is looked at, in milliseconds: V8 tidies up for a while after work. */
const REST_MS = Number(process.env.PMAN_BENCH_REST_MS ?? 60_000);
/** For how long wake-ups are counted, in milliseconds. */
const COUNT_MS = 30_000;
const WAITING = 10_000;
const SUBMITTERS = 16;
const MB = (amount: number) => `${amount.toFixed(0)} MB`;

/** What an idle pman and its runner take beside an idle Node; what 10,000 jobs that wait take. */
export async function idleRows(): Promise<void> {
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 2 ** 30)'], {
    stdio: 'ignore',
  });
  const bareEnded = once(bare, 'exit');
  const pman = await startPman(['--maxJobs', '1']);
  const agent = new Agent({ keepAlive: true, maxSockets: SUBMITTERS });
  try {
    // On a connection that is closed then: what waits for clients is not idle.
    await run(pman.port, new Agent(), 'true', false);
    const pid = pman.process.pid ?? 0;
    const runner = processWith('runnerProcess', pman.folder);
    await sleep(REST_MS);
    const limit = memoryMb(bare.pid ?? 0);
    const limitIs = `an idle Node, ${MB(limit.all)} (${MB(limit.own)} of its own)`;
    const before = [pid, runner].map(sleeps);
    await sleep(COUNT_MS);
    const woken = [pid, runner].map((id, i) => (sleeps(id) - (before[i] ?? 0)) / (COUNT_MS / 1000));
    const named = [
      ['pman', pid, '60 MB'],
      ['runner', runner, '45 MB'],
    ] as const;
    for (const [i, [name, id, goal]] of named.entries()) {
      const { all, own } = memoryMb(id);
      const measured = `${MB(all)} (${MB(own)} of its own)`;
      row({ what: `memory of an idle ${name}`, limit: limitIs, goal, measured });
      row({
        what: `wake-ups of an idle ${name}`,
        ...{ limit: '0', goal: '1 a second', measured: `${woken[i]?.toFixed(2)} a second` },
      });
    }
    await run(pman.port, agent, 'sleep 600', true); // all others wait for it
    let next = 0;
    const submit = async () => {
      for (let i = next++; i < WAITING; i = next++) await run(pman.port, agent, 'true', true);
    };
    await Promise.all(Array.from({ length: SUBMITTERS }, submit));
    await sleep(Math.min(REST_MS, 15_000));
    const { all, own } = memoryMb(pid);
    row({
      what: 'memory of pman with 10,000 jobs that wait',
      ...{ limit: limitIs, goal: '100 MB', measured: `${MB(all)} (${MB(own)} of its own)` },
    });
  } finally {
    await quit(pman.port);
    agent.destroy();
    await pman.stop();
    bare.kill('SIGKILL');
    await bareEnded;
  }
}

const run = (port: number, agent: Agent, cmd: string, threaded: boolean) =>
  send(port, agent, { action: 'run', meta: { cmd, auid: 'bench', jid: 'idle', threaded } });

/** Ends it with its jobs. */
const quit = (port: number) =>
  send(port, new Agent(), { action: 'quit', meta: { jobs: 'end' } }).catch(() => undefined);

function send(port: number, agent: Agent, payload: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, method: 'POST', path: '/api/v1/cmd' }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
      answer.resume().on('end', resolve);
    });
    sent.on('error', reject).end(JSON.stringify({ payload }));
  });
}
