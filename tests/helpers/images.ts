import { randomUUID } from 'node:crypto';
import { dockerAt } from './docker.ts';
import { eventually } from './eventually.ts';
import { request } from './http.ts';
import { command } from './pman.ts';
import { register } from './scope.ts';

/** The engine that has this project's images, by the address that tests/engines/images.sh prints; or undefined. */
export const imagesEngine = process.env.PMAN_TEST_IMAGES;

export const imagesMissing = () =>
  imagesEngine ? undefined : 'PMAN_TEST_IMAGES is not set: tests/engines/images.sh up';

/** Its socket on this machine. */
export const imagesSocket = (imagesEngine ?? '').replace('unix://', '');

export const docker = dockerAt(imagesEngine);

/** A pman at a port of this machine. */
export interface Served {
  readonly port: number;
  readonly token?: string;
}

/** A container that runs in the background. */
export interface Container extends Served {
  readonly name: string;
}

/** Sends pman an action and gives its reply. */
export async function post(
  { port, token }: Served,
  action: string,
  meta: object,
): Promise<Record<string, unknown>> {
  const headers: Array<readonly [string, string]> = token
    ? [['Authorization', `Bearer ${token}`]]
    : [];
  const body = command(action, meta);
  const answer = await request(port, 'POST', '/api/v1/cmd', { body, headers, timeoutMs: 30_000 });
  return answer.json() as Record<string, unknown>;
}

/** Waits until it answers. */
export async function answering<T extends Served>(served: T, timeoutMs = 20_000): Promise<T> {
  const hello = () => post(served, 'hello', { askAbout: 'timestamp' });
  await eventually(async () => (await hello()).status, { timeoutMs, message: 'pman to answer' });
  return served;
}

/** The status of a job and what its container has written. */
export async function statusOf(
  served: Served,
  jid: string,
): Promise<{ readonly status: string; readonly logs: string }> {
  const { d_ret } = await post(served, 'status', { key: 'jid', value: jid });
  const { l_status, l_logs } = d_ret as { readonly l_status: string[]; readonly l_logs: string[] };
  return { status: l_status[0] ?? '', logs: l_logs[0] ?? '' };
}

/** Waits for the end of a job. */
export function ended(
  served: Served,
  jid: string,
): Promise<{ readonly status: string; readonly logs: string }> {
  return eventually(
    async () => {
      const now = await statusOf(served, jid);
      return /started|^$/.test(now.status) ? undefined : now;
    },
    { timeoutMs: 60_000, pollMs: 100, message: `job ${jid} to end` },
  );
}

/** The network whose containers can have ports of this machine: the engine of the tests has no default one. */
const NETWORK = 'pman-test';

/**
 * `docker run` in the background of an image of pman, with its port 5010 at some free port of this machine's loopback.
 * End it with `remove`.
 * @param options flags of `docker run`
 * @param words what stands behind the image
 */
export function start(options: readonly string[], words: readonly string[]): Container {
  const name = `pman-${randomUUID()}`;
  const left = () => (docker('ps', '-aqf', `name=${name}`) ? `the container ${name}` : undefined);
  register({ left, dispose: () => remove(name) });
  const network = ['--network', NETWORK, '--publish', '127.0.0.1::5010'];
  docker('run', '--detach', '--name', name, ...network, ...options, 'fnndsc/pman', ...words);
  return { name, port: portOf(name) };
}

/** The port of this machine that leads to the container's 5010; another one after each start. */
export function portOf(name: string): number {
  return Number(docker('port', name, '5010').trim().split(':').at(-1));
}

export function remove(name: string): void {
  docker('rm', '--force', name);
}

export function makeNetwork(): void {
  docker('network', 'create', NETWORK);
}

export function removeNetwork(): void {
  docker('network', 'rm', NETWORK);
}

/** Flags of `docker run` that let a pman make services on the engine it runs on. */
export const withEngine: readonly string[] = [
  ...['--volume', `${imagesSocket}:/var/run/docker.sock`],
  ...['--env', `PMAN_DOCKERSOCKET=${imagesSocket}`],
];
