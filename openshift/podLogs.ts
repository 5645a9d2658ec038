import type { IncomingMessage } from 'node:http';
import { PmanError } from '../lib/errors.ts';
import type { FollowOptions } from '../lib/jobs/container/engine.ts';
import { isStatus, noAnswer } from './apiError.ts';
import type { KubeClient } from './client.ts';

/** A container whose output is read. */
export interface LogSource {
  readonly pod: string;
  readonly container: string;
}

/** How long the output of a container that does not write may take to be read, in milliseconds. */
const READ_MS = 60_000;

/**
 * What a container has written, at most `limitBytes` of it: all, or the first and the last half with a note between. Nothing when it has
 * not started, or its output is gone.
 */
export async function cappedLogs(
  client: KubeClient,
  source: LogSource,
  limitBytes: number,
): Promise<string> {
  const doing = `read the output of pod "${source.pod}"`;
  const late = AbortSignal.timeout(READ_MS);
  const answer = await openLogs(client, source, { doing, follow: false, signal: late });
  if (answer === undefined) return '';
  const half = Math.floor(limitBytes / 2);
  const kept = new HeadAndTail(limitBytes, half);
  try {
    for await (const chunk of answer) kept.add(chunk as Buffer); // nothing else comes from a socket
  } catch (error) {
    throw noAnswer(doing, client.credentials.server, error);
  }
  const text = kept.text();
  if (NO_LOG.test(text)) throw new PmanError('unavailable', `cannot ${doing}: ${text.trim()}`);
  return text;
}

/** A kubelet that cannot find an output, as when containerd is away, says so in its place, with status 200. */
const NO_LOG = /^unable to retrieve container logs for [a-z-]+:\/\/[0-9a-f]{64}\n?$/;

/**
 * Hands on the output of a container from a byte on, as it comes, until the container ends or the signal is given.
 * @returns whether there was any to be had: not of one that has not started
 */
export async function followLogs(
  client: KubeClient,
  source: LogSource,
  { from, signal, onOpen, write }: FollowOptions,
): Promise<boolean> {
  const doing = `follow the output of pod "${source.pod}"`;
  const answer = await openLogs(client, source, { doing, follow: true, signal });
  if (answer === undefined) return false;
  onOpen();
  let left = from;
  try {
    for await (const chunk of answer) {
      const bytes = chunk as Buffer; // nothing else comes from a socket
      if (bytes.length > left) await write(bytes.subarray(left));
      left = Math.max(0, left - bytes.length);
    }
  } catch (error) {
    if (!signal.aborted) throw noAnswer(doing, client.credentials.server, error);
  } finally {
    answer.destroy();
  }
  return true;
}

/** Undefined when there is nothing to read: the container has not started, or is gone. */
async function openLogs(
  client: KubeClient,
  { pod, container }: LogSource,
  {
    doing,
    follow,
    signal,
  }: { readonly doing: string; readonly follow: boolean; readonly signal: AbortSignal },
): Promise<IncomingMessage | undefined> {
  const path = client.path('pods', pod, 'log');
  const query = { container, ...(follow ? { follow: 'true' } : {}) };
  try {
    return await client.open(doing, { path, query }, signal);
  } catch (error) {
    if (signal.aborted && follow) return undefined;
    if (isStatus(error, 404) || isStatus(error, 400)) return undefined;
    throw error instanceof PmanError ? error : noAnswer(doing, client.credentials.server, error);
  }
}

/** All of some bytes as long as they are few, else their beginning and their end. */
class HeadAndTail {
  readonly #limit: number;
  readonly #half: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #head: Buffer | undefined;

  constructor(limit: number, half: number) {
    this.#limit = limit;
    this.#half = half;
  }

  add(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    if (this.#head === undefined && this.#size > this.#limit) {
      const all = Buffer.concat(this.#chunks);
      this.#head = all.subarray(0, this.#half);
      this.#chunks = [all.subarray(this.#half)];
      this.#size = all.length - this.#half;
    }
    if (this.#head === undefined) return;
    for (let [first] = this.#chunks; first && this.#size - first.length >= this.#half; ) {
      this.#chunks.shift();
      this.#size -= first.length;
      [first] = this.#chunks;
    }
  }

  text(): string {
    const rest = Buffer.concat(this.#chunks);
    if (this.#head === undefined) return rest.toString('utf8');
    const tail = rest.subarray(-this.#half).toString('utf8');
    return `${this.#head.toString('utf8')}\n[… the middle is left out: only ${this.#limit} bytes are kept …]\n${tail}`;
  }
}
