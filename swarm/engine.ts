import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type Docker from 'dockerode';
import { messageOf, PmanError } from '../lib/errors.ts';
import { addressText, type EngineAddress } from './engineAddress.ts';

// A connection that was kept would fail the first call after the engine was restarted, also a call that must not be
// made twice. A new one on the same machine costs a fraction of a millisecond.
const connectionEach = { keepAlive: false };

/**
 * A client of the engine at an address. Nothing is sent yet. dockerode is loaded here and not before, because
 * that takes longer than everything else a short command does.
 */
export async function openEngine(address: EngineAddress, sshAgent?: string): Promise<Docker> {
  const { default: DockerClient } = await import('dockerode');
  return withoutDockerHost(() => new DockerClient(clientOptions(address, sshAgent)));
}

/**
 * docker-modem's constructor reads DOCKER_HOST and what belongs to it whatever its options say, and throws where we
 * know better (a certificate folder without ca.pem; a config file that names another engine). Nothing else can run
 * in between, since a constructor does not wait.
 */
function withoutDockerHost<T>(make: () => T): T {
  const host = process.env.DOCKER_HOST;
  if (host === undefined) return make();
  delete process.env.DOCKER_HOST;
  try {
    return make();
  } finally {
    process.env.DOCKER_HOST = host;
  }
}

/** @types/dockerode does not know of the agent. */
type ClientOptions = Docker.DockerOptions & { readonly agent?: HttpAgent };

/** Every option is given, also as undefined: what is left out, dockerode would take from DOCKER_HOST. */
function clientOptions(address: EngineAddress, sshAgent: string | undefined): ClientOptions {
  // No connectionTimeout: docker-modem ends with it every call whose answer has not begun by then.
  const nothing = {
    host: undefined,
    port: undefined,
    protocol: undefined,
    socketPath: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    pathPrefix: '/',
  };
  switch (address.kind) {
    case 'socket':
      return { ...nothing, socketPath: address.path, agent: new HttpAgent(connectionEach) };
    case 'ssh':
      return {
        ...nothing,
        protocol: 'ssh',
        host: address.host,
        port: address.port ?? 22,
        ...(address.user && { username: address.user }),
        sshOptions: { ...(sshAgent && { agent: sshAgent }) },
      };
    case 'tcp': {
      const { host, port, tls } = address;
      if (!tls) {
        return { ...nothing, protocol: 'http', host, port, agent: new HttpAgent(connectionEach) };
      }
      const { verify, ...pem } = tls;
      const agent = new HttpsAgent({ ...pem, ...connectionEach, rejectUnauthorized: verify });
      return { ...nothing, ...pem, protocol: 'https', host, port, agent };
    }
  }
}

/**
 * What a failed call to the engine means, as an error of ours: not_found, conflict, bad_request, or unavailable
 * when the engine does not answer or is no swarm manager.
 *
 * @param doing What was being done, to what: 'remove service "x"'.
 */
export function engineError(doing: string, address: EngineAddress, error: unknown): PmanError {
  if (error instanceof PmanError) return error;
  const status = statusCodeOf(error);
  if (status === undefined) {
    const where = addressText(address);
    return new PmanError(
      'unavailable',
      `cannot ${doing}: no answer from ${where}: ${messageOf(error)}`,
      {
        hint: 'Is the Docker Engine running, and may this user reach it? DOCKER_HOST names another one.',
        cause: error,
      },
    );
  }
  const message = `cannot ${doing}: ${reasonOf(error)}`;
  switch (status) {
    case 400:
      return new PmanError('bad_request', message, { cause: error });
    case 404:
      return new PmanError('not_found', message, { cause: error });
    case 409:
      return new PmanError('conflict', message, { cause: error });
    case 503:
      return new PmanError('unavailable', message, {
        hint: 'Services need an engine that is a swarm manager: docker swarm init',
        cause: error,
      });
    default:
      return new PmanError('internal', message, { cause: error });
  }
}

/** The HTTP status of an answer that dockerode turned into an error; undefined when there was no answer. */
function statusCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** The engine's own words, without dockerode's and gRPC's wrapping. */
function reasonOf(error: unknown): string {
  return messageOf(error)
    .replace(/^\(HTTP code \d+\) .*? - /s, '')
    .replace(/^rpc error: code = \w+ desc = /, '')
    .trim();
}
