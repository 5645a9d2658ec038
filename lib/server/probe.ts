import { readTokenFile } from '../access/tokenFile.ts';
import { messageOf, PmanError, systemErrorCode } from '../errors.ts';
import type { TlsPlaces } from '../host/tlsFiles.ts';
import { askOverTls } from './probeTls.ts';

/** Where a pman listens, and how it wants to be spoken to: the part of its configuration that a client needs. */
export interface ProbeTarget {
  readonly ip: string;
  readonly port: number;
  readonly rawmode: boolean;
  /** The file of its tokens, or undefined when it wants none. */
  readonly tokenPath: string | undefined;
  /** The files of its TLS, or undefined when it speaks none. */
  readonly tls?: TlsPlaces | undefined;
}

/** A question to a pman; gives the text of the answer. */
type Ask = (
  path: string,
  request: { readonly method: string; readonly body?: string },
) => Promise<string>;

const HELLO = JSON.stringify({ payload: { action: 'hello', meta: { askAbout: 'health' } } });
const NOT_THERE =
  'start that pman, or give pman_health the flags that it was started with (--ip, --port, TLS, tokens)';
/** Addresses to listen on that are none to go to. */
const LOOPBACK_OF = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

/**
 * Asks a pman for its health and gives its answer in words. One that is there but has every listener in use (by runs
 * that are not threaded) is well: whoever restarts what is not would end those runs.
 * @param patienceMs how long it may take to answer
 * @throws PmanError unavailable when it does not answer, storage when it cannot write its database
 */
export async function probe(target: ProbeTarget, patienceMs: number): Promise<string> {
  const ask = target.rawmode ? overHttp(target, patienceMs) : overZeromq(target, patienceMs);
  const answer = await orUndefined(() => ask('/', { method: 'POST', body: HELLO }), target);
  if (answer !== undefined) return verdict(answer, target);
  // Outputs are served without a listener. There is no such job, but an answer is an answer.
  const other = await orUndefined(() => ask('/api/v1/none/stdout', { method: 'GET' }), target);
  if (other !== undefined) return 'alive, all listeners are in use';
  throw new PmanError('unavailable', `no answer from ${hostOf(target)} in ${2 * patienceMs} ms`, {
    hint: NOT_THERE,
  });
}

/** What a question gives, or undefined when its time is up. */
async function orUndefined(
  question: () => Promise<string>,
  target: ProbeTarget,
): Promise<string | undefined> {
  try {
    return await question();
  } catch (error) {
    // From fetch and from ZeroMQ.
    if (member(error, 'name') === 'TimeoutError' || systemErrorCode(error) === 'EAGAIN') return;
    if (error instanceof PmanError) throw error;
    // It has shown its own certificate, and wants another one of clients: it is there.
    if (target.tls?.clientCA !== undefined && isClientRefusal(error)) return WANTS_CERTIFICATE;
    const reason = messageOf(member(error, 'cause') ?? error);
    throw new PmanError('unavailable', `no answer from ${hostOf(target)}: ${reason}`, {
      hint: NOT_THERE,
      cause: error,
    });
  }
}

function overHttp(target: ProbeTarget, patienceMs: number): Ask {
  const token = tokenOf(target);
  const headers: Record<string, string> =
    token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return async (path, request) => {
    const signal = AbortSignal.timeout(patienceMs);
    if (target.tls !== undefined) {
      const { port } = target;
      return askOverTls(
        { ...request, host: addressOf(target), port, path, headers, signal },
        target.tls,
      );
    }
    const answer = await fetch(`http://${hostOf(target)}${path}`, { ...request, headers, signal });
    return answer.text();
  };
}

/** One of those that the file has in the clear. To say how it is pman takes any. */
function tokenOf({ tokenPath }: ProbeTarget): string | undefined {
  if (tokenPath === undefined) return undefined;
  const tokens = readTokenFile(tokenPath || 'socket_config.cfg');
  const texts = tokens.map(({ value }) => (value.kind === 'digest' ? value.plain : undefined));
  return texts.find((text) => text !== undefined);
}

/** A pman with `--rawmode 0` takes the JSON alone, and whole HTTP requests as text. */
function overZeromq(target: ProbeTarget, patienceMs: number): Ask {
  return async (path, { method, body }) => {
    const { Request } = await import('zeromq');
    const socket = new Request({ sendTimeout: patienceMs, receiveTimeout: patienceMs, linger: 0 });
    try {
      socket.connect(`tcp://${hostOf(target)}`);
      await socket.send(body ?? `${method} ${path} HTTP/1.1\r\nHost: ${hostOf(target)}\r\n\r\n`);
      return String((await socket.receive())[0]);
    } finally {
      socket.close();
    }
  };
}

/** What stands for the answer of a server that takes clients by their certificates. */
const WANTS_CERTIFICATE = '{"RESTverb": "POST"}';

function isClientRefusal(error: unknown): boolean {
  const code = systemErrorCode(error) ?? '';
  return code === 'ECONNRESET' || code === 'EPIPE' || code.startsWith('ERR_SSL_');
}

/** What the answer to `hello` says; a pman that refuses (it wants another token) is there all the same. */
function verdict(text: string, target: ProbeTarget): string {
  const reply = jsonOf(text);
  if (member(reply, 'RESTverb') === undefined) {
    throw new PmanError('unavailable', `what answers at ${hostOf(target)} is no pman`);
  }
  const health = member(member(reply, 'd_ret'), 'health');
  if (health === undefined) return 'alive, but refuses to say how it is';
  if (member(health, 'ok') !== false) return 'alive';
  throw new PmanError('storage', `the database: ${String(member(health, 'database'))}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (member(error, 'name') === 'SyntaxError') return undefined;
    throw error;
  }
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function addressOf({ ip }: Pick<ProbeTarget, 'ip'>): string {
  return LOOPBACK_OF.get(ip) ?? ip;
}

function hostOf({ ip, port }: ProbeTarget): string {
  const address = addressOf({ ip });
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
