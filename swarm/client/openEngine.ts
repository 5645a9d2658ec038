import { type ClientRequest, Agent as HttpAgent, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type Docker from 'dockerode';
import type { EngineAddress } from './engineAddress.ts';
import { EngineClient } from './engineClient.ts';

// A connection that was kept would fail the first call after the engine was restarted, also a call that must not be
// made twice. A new one on the same machine costs a fraction of a millisecond.
const connectionEach = { keepAlive: false };

/** Node calls it for each request; its types do not know of it. */
interface Requested {
  addRequest(request: ClientRequest, options: RequestOptions): void;
}

/**
 * Has a request fail when its connection is lost in the middle of the answer: docker-modem would wait for the end of the
 * answer for ever. (One for `wait` begins at once and ends with the container.)
 */
function heedingLoss<T extends HttpAgent>(agent: T): T {
  const requested = agent as T & Requested;
  const add = requested.addRequest.bind(agent);
  requested.addRequest = (request, options) => {
    request.once('response', (answer) => {
      answer.once('close', () => {
        if (!answer.complete) request.emit('error', new Error('the connection was lost'));
      });
    });
    add(request, options);
  };
  return agent;
}

/**
 * A client of the engine at an address. Nothing is sent yet. dockerode is loaded here and not before, because
 * that takes longer than everything else a short command does.
 */
export async function openEngine(address: EngineAddress, sshAgent?: string): Promise<EngineClient> {
  const { default: DockerClient } = await import('dockerode');
  const options = clientOptions(address, sshAgent);
  const docker = withoutDockerHost(() => new DockerClient(options));
  return new EngineClient(docker, address, options.agent);
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
      return {
        ...nothing,
        socketPath: address.path,
        agent: heedingLoss(new HttpAgent(connectionEach)),
      };
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
        return {
          ...nothing,
          protocol: 'http',
          host,
          port,
          agent: heedingLoss(new HttpAgent(connectionEach)),
        };
      }
      const { verify, ...pem } = tls;
      const agent = heedingLoss(
        new HttpsAgent({ ...pem, ...connectionEach, rejectUnauthorized: verify }),
      );
      return { ...nothing, ...pem, protocol: 'https', host, port, agent };
    }
  }
}
