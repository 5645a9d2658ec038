/**
 * How much longer a container job takes through pman than by the docker command alone: from the run request to
 * `finishedSuccessfully`, against `docker service create` and waiting for its task, in turns. Needs PMAN_TEST_DOCKER.
 *
 *     npm run build && PMAN_TEST_DOCKER=unix:///… tsx tests/bench/containers.ts [rounds]
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startServer } from '../helpers/startServer.ts';

const engine = process.env.PMAN_TEST_DOCKER;
if (!engine) throw new Error('PMAN_TEST_DOCKER is not set: tests/engines/docker.sh up');
const rounds = Number(process.argv[2] ?? 10);
const image = 'local/busybox:latest';
const LIMIT = 1.2;

const exec = promisify(execFile);
const docker = async (...args: string[]) =>
  (await exec('docker', args, { env: { ...process.env, DOCKER_HOST: engine } })).stdout;

async function byDocker(name: string): Promise<number> {
  const begin = performance.now();
  const create = ['service', 'create', '--detach', '--restart-condition', 'none', '--name', name];
  await docker(...create, '--tty', image, 'echo', 'hi');
  const state = () => docker('service', 'ps', name, '--format', '{{.CurrentState}}');
  while (!(await state()).startsWith('Complete'));
  const ms = performance.now() - begin;
  await docker('service', 'rm', name);
  return ms;
}

const server = await startServer({ env: { DOCKER_HOST: engine } });

async function byPman(jid: string): Promise<number> {
  const begin = performance.now();
  const container = { target: { image }, manager: {} };
  await server.post('run', { cmd: 'echo hi', auid: 'a', jid, threaded: true, container });
  for (;;) {
    const reply = await server.post('status', { key: 'jid', value: jid });
    const [status] = (reply.d_ret as { l_status: string[] }).l_status;
    if (status === 'finishedSuccessfully') return performance.now() - begin;
    if (status?.startsWith('finished')) throw new Error(`the job ended as ${status}`);
  }
}

const times = { docker: [] as number[], pman: [] as number[] };
await byPman(`bench-${process.pid}-warm`);
for (let i = 0; i < rounds; i += 1) {
  times.docker.push(await byDocker(`bench-${process.pid}-d${i}`));
  times.pman.push(await byPman(`bench-${process.pid}-p${i}`));
}
await server.stop();
const median = (list: readonly number[]) =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const [direct, through] = [median(times.docker), median(times.pman)];
const ratio = through / direct;
console.log(
  `docker ${direct.toFixed(0)} ms, pman ${through.toFixed(0)} ms (medians of ${rounds}): ${ratio.toFixed(2)}x, limit ${LIMIT}x`,
);
process.exitCode = ratio <= LIMIT ? 0 : 1;
