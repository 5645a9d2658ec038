import { createWriteStream, realpathSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { basename, dirname, resolve } from 'node:path';
import { pipeline as forward, Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../errors.ts';
import { statsOf } from '../transfer/pathState.ts';
import { storeFile } from '../transfer/storeFile.ts';
import { PurlFailure } from './failure.ts';
import { type ClientOptions, send } from './http/httpClient.ts';
import type { Progress } from './progressBar.ts';

export interface FetchOptions {
  readonly url: URL;
  readonly verb: string;
  readonly client: ClientOptions;
  /** Where the body goes: a stream that stays open, or the name of a file. */
  readonly to: Writable | string;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A plain HTTP request without a message: the body of the answer streams to where it shall go.
 * @throws PurlFailure, also when the server answers 400 or above: the body was written to a stream then, while a
 * file stays as it was; so it does when the answer breaks off
 */
export async function fetchUrl(options: FetchOptions): Promise<void> {
  const { url, verb, client, to, progress, signal } = options;
  const answer = await send({ method: verb, url, oldPeer: true, signal }, client);
  const { statusCode = 0, statusMessage = '', headers } = answer;
  progress.start(Number(headers['content-length'] ?? 0) || undefined);
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      progress.add(chunk.length);
      done(null, chunk);
    },
  });
  const refused = statusCode >= 400 && typeof to === 'string';
  const content = Readable.from(bodyOf(answer, url), { objectMode: false });
  try {
    if (refused) answer.destroy();
    else if (typeof to !== 'string') await pipeline(content, counted, to, { end: false });
    else if (isReplaceable(to)) await replaceFile(through(content, counted), to);
    else await pipeline(content, counted, createWriteStream(to));
  } catch (error) {
    if (error instanceof PurlFailure || typeof to !== 'string') throw error;
    throw new PurlFailure('localWrite', `cannot write ${to}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    progress.stop();
  }
  if (statusCode >= 400) {
    throw new PurlFailure('httpStatus', `${url.host} answered ${statusCode} ${statusMessage}`);
  }
}

/** @throws PurlFailure `partial` when the answer breaks off */
async function* bodyOf(answer: IncomingMessage, url: URL): AsyncGenerator<Buffer> {
  try {
    yield* answer as AsyncIterable<Buffer>;
  } catch (cause) {
    if (cause instanceof PurlFailure) throw cause;
    throw new PurlFailure('partial', `the answer of ${url.host} broke off`, { cause });
  }
}

/** A stream behind another, which ends with its error too. */
function through(source: Readable, next: Transform): Transform {
  forward(source, next, () => {});
  return next;
}

/** Whether a path is a file or nothing yet; a device or pipe is written to instead. @throws PmanError */
function isReplaceable(path: string): boolean {
  return statsOf(path)?.isFile() ?? true;
}

/** Writes a file beside its place and renames it; what links lead to is replaced, its mode kept. */
async function replaceFile(content: Readable, path: string): Promise<void> {
  const stats = statsOf(path);
  const target = stats === undefined ? resolve(path) : realpathSync.native(path);
  const mode = stats === undefined ? undefined : stats.mode & 0o777;
  await storeFile(content, dirname(target), basename(target), { mode });
}
