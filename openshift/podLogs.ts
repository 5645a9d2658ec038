import type { IncomingMessage } from 'node:http';
import { PmanError } from '../lib/errors.ts';
import type { FollowOptions } from '../lib/jobs/container/engine.ts';
import { isStatus, noAnswer } from './apiError.ts';
import type { KubeClient } from './client.ts';
import { StampedLog } from './stampedLog.ts';

/** A container whose output is read. */
export interface LogSource {
  readonly pod: string;
  readonly container: string;
}

/** How long the output of a container that does not write may take to be read, in milliseconds. */
const READ_MS = 60_000;

/**
 * What a container has written, at most `limitBytes` of it: all, or the first and the last half with a note between. Undefined when
 * its node has no output of it: it has not started, or its output is gone, or the node does not know the pod yet.
 * @throws PmanError unavailable when it cannot be read to its end
 */
export async function cappedLogs(
  client: KubeClient,
  source: LogSource,
  limitBytes: number,
): Promise<string | undefined> {
  const doing = `read the output of pod "${source.pod}"`;
  const late = AbortSignal.timeout(READ_MS);
  const answer = await openLogs(client, source, { doing, follow: false, signal: late });
  if (answer === undefined) return undefined;
  const half = Math.floor(limitBytes / 2);
  const kept = new HeadAndTail(limitBytes, half);
  try {
    for await (const bytes of written(answer, doing)) kept.add(bytes);
  } catch (error) {
    throw error instanceof PmanError ? error : noAnswer(doing, client.credentials.server, error);
  }
  return kept.text();
}

/**
 * Hands on the output of a container from a byte on, as it comes, until the container ends or the signal is given.
 * @returns how many bytes the whole of it had; undefined when there was none to be had: of one that has not started
 * @throws PmanError unavailable when its node ends it before: what was handed on until then is the container's
 */
export async function followLogs(
  client: KubeClient,
  source: LogSource,
  { from, signal, onOpen, write }: FollowOptions,
): Promise<number | undefined> {
  const doing = `follow the output of pod "${source.pod}"`;
  const answer = await openLogs(client, source, { doing, follow: true, signal });
  if (answer === undefined) return undefined;
  onOpen();
  let size = 0;
  try {
    for await (const bytes of written(answer, doing)) {
      const known = Math.max(0, from - size);
      size += bytes.length;
      if (bytes.length > known) await write(bytes.subarray(known));
    }
  } catch (error) {
    if (signal.aborted) return size;
    throw error instanceof PmanError ? error : noAnswer(doing, client.credentials.server, error);
  } finally {
    answer.destroy();
  }
  return size;
}

/**
 * What the container has written of an answer with times.
 * @throws PmanError unavailable, with the words of the node, when that could not read it any further: as when containerd is away
 */
async function* written(answer: IncomingMessage, doing: string): AsyncGenerator<Buffer> {
  const log = new StampedLog();
  // Nothing but buffers comes from a socket.
  for await (const piece of answer) yield log.take(piece as Buffer);
  const { rest, words } = log.end();
  yield rest;
  if (words !== undefined) throw new PmanError('unavailable', `cannot ${doing}: ${words}`);
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
  const query = { container, timestamps: 'true', ...(follow ? { follow: 'true' } : {}) };
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
