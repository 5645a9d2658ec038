import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { inspect } from 'node:util';
import type Docker from 'dockerode';
import { SwitchedProtocol } from '../../lib/answerHead.ts';
import type { EngineAddress } from './engineAddress.ts';
import { EngineClient } from './engineClient.ts';

// A connection that was kept would fail the first call after the engine was restarted, also a call that must not be
// made twice. A new one on the same machine costs a fraction of a millisecond.
const connectionEach = { keepAlive: false };

/** Node calls it for each request; its types do not know of it. */
interface Requested {
  addRequest(request: ClientRequest, options: RequestOptions): void;
}

/** Our ways to an engine, as docker-modem is to have them. */
const ours = <T extends HttpAgent>(agent: T): T => shownShort(heedingLoss(agent));

/**
 * docker-modem writes out the options of every request for its log, whether or not anybody reads that: the agent with all its
 * sockets and what they hold. With 20 jobs at once that took 13 ms of processor time a call.
 */
function shownShort<T extends HttpAgent>(agent: T): T {
  Object.defineProperty(agent, inspect.custom, { value: () => 'Agent' });
  return agent;
}

/**
 * Has a request fail when its connection is lost in the middle of the answer, and when the answer is "101 Switching
 * Protocols": docker-modem would wait for the end of the answer for ever. (One for `wait` begins at once and ends with the container.)
 */
function heedingLoss<T extends HttpAgent>(agent: T): T {
  const requested = agent as T & Requested;
  const add = requested.addRequest.bind(agent);
  requested.addRequest = (request, options) => {
    // Nothing that we ask of an engine goes on in another protocol.
    const refuse = (answer: IncomingMessage) => {
      answer.socket.destroy();
      request.emit('error', new SwitchedProtocol());
    };
    request.once('upgrade', refuse);
    request.once('response', (answer) => {
      if (answer.statusCode === 101) return refuse(answer);
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
  const [{ default: DockerClient }, { default: Modem }] = await Promise.all([
    import('dockerode'),
    import('docker-modem'),
  ]);
  const settings = modemSettings(address, sshAgent);
  // Not `new Modem(…)`: its constructor reads DOCKER_HOST and what belongs to it, whatever it is given, and throws where we
  // know better (a certificate folder without ca.pem; a config file that names another engine).
  const modem: unknown = Object.assign(Object.create(Modem.prototype as object), settings);
  const options: Docker.DockerOptions & { readonly modem: unknown } = { modem };
  return new EngineClient(new DockerClient(options), address, settings.agent);
}

/** All that docker-modem's constructor would set. */
export interface ModemSettings {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly protocol: 'http' | 'https' | 'ssh';
  readonly socketPath: string | undefined;
  readonly username: string | undefined;
  readonly password: undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly pathPrefix: string;
  readonly version: undefined;
  readonly headers: object;
  readonly sshOptions: { readonly agent?: string };
  readonly agent: HttpAgent | undefined;
  readonly checkServerIdentity: undefined;
  readonly timeout: undefined;
  readonly connectionTimeout: undefined;
}

/** How docker-modem reaches an engine. */
export function modemSettings(address: EngineAddress, sshAgent?: string): ModemSettings {
  const nothing: ModemSettings = {
    host: undefined,
    port: undefined,
    protocol: 'http',
    socketPath: undefined,
    username: undefined,
    password: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    pathPrefix: '/',
    version: undefined,
    headers: {},
    sshOptions: {},
    agent: undefined,
    checkServerIdentity: undefined,
    timeout: undefined,
    // docker-modem would end with it every call whose answer has not begun by then.
    connectionTimeout: undefined,
  };
  switch (address.kind) {
    case 'socket':
      return {
        ...nothing,
        socketPath: address.path,
        agent: ours(new HttpAgent(connectionEach)),
      };
    case 'ssh':
      return {
        ...nothing,
        protocol: 'ssh',
        host: address.host,
        port: address.port ?? 22,
        username: address.user,
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
          agent: ours(new HttpAgent(connectionEach)),
        };
      }
      const { verify, ...pem } = tls;
      const agent = ours(new HttpsAgent({ ...pem, ...connectionEach, rejectUnauthorized: verify }));
      return { ...nothing, ...pem, protocol: 'https', host, port, agent };
    }
  }
}
