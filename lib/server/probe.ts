import { messageOf, PmanError } from '../errors.ts';
import { readTokens } from '../tokens.ts';

/** Where a pman listens, and how it wants to be spoken to: the part of its configuration that a client needs. */
export interface ProbeTarget {
  readonly ip: string;
  readonly port: number;
  readonly rawmode: boolean;
  /** The file of its tokens, or undefined when it wants none. */
  readonly tokenPath: string | undefined;
}

const HELLO = JSON.stringify({ payload: { action: 'hello', meta: { askAbout: 'health' } } });
/** Addresses to listen on that are none to go to. */
const LOOPBACK_OF = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

/**
 * Asks a pman for its health and gives its answer in words. One that is there but has every listener in use (by runs
 * that are not threaded) is healthy: whoever restarts what is not would end those runs.
 * @param patienceMs how long it may take to answer
 * @throws PmanError unavailable when it does not answer, storage when it cannot write its database
 */
export async function probe(target: ProbeTarget, patienceMs: number): Promise<string> {
  if (!target.rawmode) return verdict(await askNative(target, patienceMs));
  const ask = (path: string, request: RequestInit) =>
    fetch(`http://${hostOf(target)}${path}`, {
      ...request,
      headers: tokenHeader(target),
      signal: AbortSignal.timeout(patienceMs),
    });
  try {
    const answer = await ask('/', { method: 'POST', body: HELLO });
    return verdict(await answer.text());
  } catch (error) {
    if (!isTimeout(error)) throw unavailable(target, error);
  }
  try {
    // Outputs are served without a listener. There is no such job, but an answer is an answer.
    await ask('/api/v1/none/stdout', { method: 'HEAD' });
    return 'alive, all listeners are in use';
  } catch (error) {
    throw unavailable(target, error);
  }
}

async function askNative(target: ProbeTarget, patienceMs: number): Promise<string> {
  const { Request } = await import('zeromq');
  const socket = new Request({ sendTimeout: patienceMs, receiveTimeout: patienceMs, linger: 0 });
  try {
    socket.connect(`tcp://${hostOf(target)}`);
    await socket.send(HELLO);
    return String((await socket.receive())[0]);
  } catch (error) {
    throw unavailable(target, error);
  } finally {
    socket.close();
  }
}

/** What the answer to `hello` says; a pman that refuses (a token of another file) is there all the same. */
function verdict(text: string): string {
  const reply: unknown = JSON.parse(text);
  const health = member(member(reply, 'd_ret'), 'health');
  if (member(health, 'ok') !== false) return 'alive';
  throw new PmanError('storage', `the database: ${String(member(health, 'database'))}`);
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function hostOf({ ip, port }: ProbeTarget): string {
  const address = LOOPBACK_OF.get(ip) ?? ip;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function tokenHeader({ tokenPath }: ProbeTarget): Record<string, string> {
  if (tokenPath === undefined) return {};
  const [token = ''] = readTokens(tokenPath, 'socket_config.cfg');
  return { Authorization: `Bearer ${token}` };
}

function isTimeout(error: unknown): boolean {
  return member(error, 'name') === 'TimeoutError';
}

function unavailable(target: ProbeTarget, cause: unknown): PmanError {
  const reason = messageOf(member(cause, 'cause') ?? cause);
  return new PmanError('unavailable', `no answer from ${hostOf(target)}: ${reason}`, { cause });
}
