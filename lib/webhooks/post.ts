import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { answerHead, SwitchedProtocol } from '../answerHead.ts';
import { Queue } from '../concurrency/queue.ts';
import { VERSION } from '../version.ts';
import { type AllowedHosts, hostOf } from './allowedHosts.ts';
import { retryAfterMs } from './retries.ts';
import { connectionWords } from './tlsWords.ts';

/** What came of one try to send a message. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number }
  /** The receiver wants no more of them. */
  | { readonly kind: 'stopped'; readonly status: 410 }
  | {
      readonly kind: 'failed';
      readonly status?: number;
      readonly error: string;
      readonly retryAfterMs?: number;
    };

export interface PostLimits {
  /** Until the connection stands, with TLS. */
  readonly connectMs: number;
  /** From the look into the DNS to the head of the answer. */
  readonly wholeMs: number;
}

export const POST_LIMITS: PostLimits = { connectMs: 5000, wholeMs: 15_000 };
/** How much of an answer is read before the connection is cut; nobody looks at it. */
const ANSWER_BYTES = 64 * 1024;
const HEAD_BYTES = 16 * 1024;
/** The system's own look-ups block a thread each, of which Node has four for all file work as well. */
const lookUps = new Queue(2);

export interface PostRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How many tries there were before: each goes to the next one of a host's addresses. */
  readonly tries: number;
  readonly signal: AbortSignal;
}

/**
 * Sends a message once. It goes to an address that was looked up and checked here: nothing looks the name up again. It follows
 * no redirect and goes by no proxy. Never rejects.
 */
export async function post(
  request: PostRequest,
  hosts: AllowedHosts,
  limits: PostLimits = POST_LIMITS,
): Promise<Outcome> {
  const timeUp = AbortSignal.timeout(limits.wholeMs);
  const signal = AbortSignal.any([request.signal, timeUp]);
  try {
    const address = await checkedAddress(request, hosts, signal);
    const answer = await send(request, address, signal, limits.connectMs);
    const { statusCode: status = 0, headers } = answer;
    await drain(answer);
    return outcomeOf(status, headers['retry-after']);
  } catch (error) {
    const words = timeUp.aborted
      ? `no answer in ${limits.wholeMs} ms`
      : connectionWords(error, hostOf(request.url));
    const status = error instanceof SwitchedProtocol ? { status: error.status } : {};
    return { kind: 'failed', ...status, error: words.slice(0, 200) };
  }
}

function outcomeOf(status: number, retryAfter: string | undefined): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  if (status === 410) return { kind: 'stopped', status };
  const asked = status === 429 || status === 503 ? retryAfterMs(retryAfter, Date.now()) : undefined;
  const isRedirect = status >= 300 && status < 400;
  return {
    ...{ kind: 'failed', status },
    error: isRedirect ? `it answers ${status}: redirects are not followed` : `it answers ${status}`,
    ...(asked === undefined ? {} : { retryAfterMs: asked }),
  };
}

/** @throws Error when the host has no address, or one that is not allowed */
async function checkedAddress(
  { url, tries }: PostRequest,
  hosts: AllowedHosts,
  signal: AbortSignal,
): Promise<string> {
  const name = hostOf(url);
  const found = isIP(name) === 0 ? await addressesOf(name, signal) : [name];
  // A host that also has such an address may want the next look-up to give it.
  if (found.some((address) => !hosts.allowsAddress(address))) {
    throw new Error('its address is one of a private network, which is not listed');
  }
  const address = found[tries % found.length];
  if (address === undefined) throw new Error('its host has no address');
  return address;
}

async function addressesOf(name: string, signal: AbortSignal): Promise<readonly string[]> {
  const gone = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
  });
  const all = lookUps.run(async () =>
    signal.aborted ? [] : lookup(name, { all: true, verbatim: true }),
  );
  return (await Promise.race([all, gone])).map(({ address }) => address);
}

function send(
  { url, headers, body }: PostRequest,
  address: string,
  signal: AbortSignal,
  connectMs: number,
): Promise<IncomingMessage> {
  const isSecure = url.protocol === 'https:';
  const name = hostOf(url);
  const options: RequestOptions & { readonly servername?: string } = {
    method: 'POST',
    host: address,
    port: url.port || (isSecure ? 443 : 80),
    path: url.pathname + url.search,
    agent: false,
    maxHeaderSize: HEAD_BYTES,
    signal,
    // The certificate has to be that of the host, wherever the connection goes.
    ...(isSecure && isIP(name) === 0 ? { servername: name } : {}),
    headers: {
      Host: url.host,
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      'User-Agent': `pman/${VERSION}`,
      Connection: 'close',
      ...headers,
    },
  };
  const outgoing = (isSecure ? httpsRequest : httpRequest)(options);
  const timer = setTimeout(
    () => outgoing.destroy(new Error(`no connection in ${connectMs} ms`)),
    connectMs,
  );
  outgoing.on('socket', (socket) => {
    socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(timer));
  });
  outgoing.on('close', () => clearTimeout(timer));
  // It hears errors also after the answer: a receiver may break off what nobody looks at.
  const answer = answerHead(outgoing);
  outgoing.end(body);
  return answer;
}

/** Lets go of an answer: its beginning is taken, so that a receiver that writes a little does not see it break off. */
async function drain(answer: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of answer) {
      bytes += (chunk as Buffer).length;
      if (bytes > ANSWER_BYTES) break;
    }
  } catch {
    // Its status has come: nothing else matters.
  } finally {
    answer.destroy();
  }
}
