/**
 * How much longer container jobs take through pman than by the engine's own API alone: made, seen to their end, their output
 * read and they removed, all at once, in turns. Beside it the processor time of a job in pman and in the engine, and the calls
 * that a job costs it. Needs PMAN_TEST_DOCKER, an engine of tests/engines/docker.sh.
 *
 *     npm run build && PMAN_TEST_DOCKER=unix:///… tsx tests/bench/containers.ts [swarm|docker] [jobs] [rounds]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { CallCounter } from '../helpers/callCounter.ts';
import { engineDir, engineMissing } from '../helpers/docker.ts';
import { engineSocket } from '../helpers/engineRelay.ts';
import { checkout, startServer } from '../helpers/startServer.ts';
import { processorMs } from './processorTime.ts';
import { missed, row } from './row.ts';

const missing = engineMissing();
if (missing !== undefined) throw new Error(missing);
const [env = 'swarm', jobsText = '1', roundsText = '5'] = process.argv.slice(2);
const [jobs, rounds] = [Number(jobsText), Number(roundsText)];
const image = 'local/busybox:latest';
const LIMIT = 1.2;
/** How often the engine is asked by the API alone how all stand, in milliseconds. */
const LOOK_MS = 50;
const FINAL = ['complete', 'failed', 'rejected', 'shutdown'];

const counter = await CallCounter.to(engineSocket);
const docker = new Docker({ socketPath: counter.address.replace('unix://', '') });
const pidIn = (file: string) => Number(readFileSync(`${engineDir()}/${file}`, 'utf8'));
const engines = [pidIn('pid'), pidIn('exec/containerd/containerd.pid')];

interface Round {
  /** Until all have ended and their output is known. */
  readonly ms: number;
  /** Until nothing of them is left. */
  readonly removedMs: number;
  /** Processor time of the engine, and of who asks it. */
  readonly engineMs: number;
  readonly askerMs: number;
  readonly calls: Readonly<Record<string, number>>;
}

const label = `bench-${process.pid}`;
let round = 0;

/** Services of this round: tasks of earlier ones are listed for a while. */
const services = new Set<string>();

async function service(name: string): Promise<() => Promise<void>> {
  const made = await docker.createService({
    Name: name,
    Labels: { bench: label },
    TaskTemplate: {
      ContainerSpec: { Image: image, Command: ['echo', 'hi'] },
      RestartPolicy: { Condition: 'none' },
    },
  });
  services.add(made.id);
  return () => docker.getService(made.id).remove();
}

async function container(name: string): Promise<() => Promise<void>> {
  const Labels = { bench: label };
  const made = await docker.createContainer({
    name,
    Image: image,
    Entrypoint: ['echo', 'hi'],
    Labels,
  });
  await made.start();
  return () => made.remove({ force: true });
}

/** The containers of those that have ended. */
async function overServices(): Promise<readonly string[]> {
  const tasks = (await docker.listTasks()) as readonly {
    readonly ServiceID: string;
    readonly Status: { State: string; ContainerStatus?: { ContainerID: string } };
  }[];
  const over = tasks.filter(
    ({ ServiceID, Status }) => services.has(ServiceID) && FINAL.includes(Status.State),
  );
  return over.map(({ Status }) => Status.ContainerStatus?.ContainerID ?? '');
}

async function overContainers(): Promise<readonly string[]> {
  const filters = { label: [`bench=${label}`], status: ['exited'] };
  return (await docker.listContainers({ all: true, filters })).map(({ Id }) => Id);
}

async function byApi(): Promise<() => Promise<void>> {
  services.clear();
  const make = env === 'swarm' ? service : container;
  const over = env === 'swarm' ? overServices : overContainers;
  const making = Promise.all(
    Array.from({ length: jobs }, (_, i) => make(`${label}-a${round}-${i}`)),
  );
  const read = new Map<string, Promise<unknown>>();
  while (read.size < jobs) {
    for (const id of await over()) {
      if (read.has(id)) continue;
      read.set(id, docker.getContainer(id).logs({ stdout: true, stderr: true }));
    }
    await sleep(LOOK_MS);
  }
  await Promise.all(read.values());
  const removes = await making;
  return async () => {
    await Promise.all(removes.map((remove) => remove()));
  };
}

const flags = ['--container-env', env];
/** PMAN_BENCH_PROGRAM: that of another build. */
const program = process.env.PMAN_BENCH_PROGRAM ?? join(checkout, 'dist/bin/pman.js');
/** The folder for a profile of pman, where one is wanted. */
const folder = process.env.PMAN_BENCH_PROFILE;
const profile = folder ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : [];
const command = [process.execPath, ...profile, program];
const server = await startServer({ flags, env: { DOCKER_HOST: counter.address }, command });
const url = `http://127.0.0.1:${server.port}/api/v2/jobs`;

async function job(): Promise<void> {
  const body = JSON.stringify({ command: 'echo hi', image });
  const headers = { 'Content-Type': 'application/json' };
  const made = await fetch(url, { method: 'POST', headers, body });
  const said = (await made.json()) as { readonly id: string };
  for (;;) {
    const answer = await fetch(`${url}/${said.id}?wait=60s`);
    const { state } = (await answer.json()) as { readonly state: string };
    if (state === 'succeeded') return;
    if (['failed', 'killed', 'lost'].includes(state)) throw new Error(`it ended: ${state}`);
  }
}

async function byPman(): Promise<() => Promise<void>> {
  await Promise.all(Array.from({ length: jobs }, job));
  return async () => {
    while ((await left()) > 0) await sleep(LOOK_MS);
  };
}

/** How many are there yet; not counted. */
async function left(): Promise<number> {
  const direct = new Docker({ socketPath: engineSocket });
  return env === 'swarm'
    ? (await direct.listServices()).length
    : (await direct.listContainers({ all: true })).length;
}

async function measured(run: () => Promise<() => Promise<void>>, asker: number): Promise<Round> {
  round += 1;
  counter.reset();
  const [engineBefore, askerBefore] = [processorMs(engines), processorMs([asker])];
  const begin = performance.now();
  const remove = await run();
  const ms = performance.now() - begin;
  await remove();
  const removedMs = performance.now() - begin;
  const calls = counter.counts;
  while ((await left()) > 0) await sleep(LOOK_MS);
  const engineMs = processorMs(engines) - engineBefore;
  return { ms, removedMs, engineMs, askerMs: processorMs([asker]) - askerBefore, calls };
}

if ((await left()) > 0) throw new Error('something is there already: the engine has to be empty');
const all = { api: [] as Round[], pman: [] as Round[] };
await measured(byPman, server.pid); // both are warm then
for (let i = 0; i < rounds; i += 1) {
  all.api.push(await measured(byApi, process.pid));
  all.pman.push(await measured(byPman, server.pid));
}
await server.stop();
await counter.close();

const best = (list: readonly Round[], of: (one: Round) => number) => Math.min(...list.map(of));
for (const [who, list] of Object.entries(all)) {
  const [ms, removed] = [best(list, (one) => one.ms), best(list, (one) => one.removedMs)];
  const each = (of: (one: Round) => number) => (best(list, of) / jobs).toFixed(1);
  console.log(
    `${who.padEnd(4)} ${ms.toFixed(0)} ms, removed after ${removed.toFixed(0)} ms; of the processor a job: engine ${each((one) => one.engineMs)} ms, asker ${each((one) => one.askerMs)} ms`,
  );
  const calls = Object.entries(list.at(-1)?.calls ?? {});
  const total = calls.reduce((sum, [, count]) => sum + count, 0);
  console.log(
    `     ${(total / jobs).toFixed(1)} calls a job: ${calls.map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
  );
}
const ratio = best(all.pman, (one) => one.ms) / best(all.api, (one) => one.ms);
console.log(
  `${env}, ${jobs} at once, best of ${rounds}: ${ratio.toFixed(2)} of the API alone, limit ${LIMIT}`,
);
const processor = (list: readonly Round[]) =>
  best(list, (one) => one.engineMs + one.askerMs) / jobs;
const [ours, theirs] = [processor(all.pman), processor(all.api)];
row({
  what: `${jobs} container jobs at once (${env}), until all outputs are known`,
  limit: `the engine's API alone, ${(best(all.api, (one) => one.ms) / 1000).toFixed(1)} s`,
  goal: `${LIMIT} times`,
  measured: `${ratio.toFixed(2)} times, ${(best(all.pman, (one) => one.ms) / 1000).toFixed(1)} s`,
  processor: `${ours.toFixed(1)} and ${theirs.toFixed(1)} ms a job with the engine's (${(ours / theirs).toFixed(2)} times)`,
});
if (ratio > LIMIT) missed(`${LIMIT} times the API alone`);
