import { createWriteStream } from 'node:fs';
import { Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../errors.ts';
import { PurlFailure } from './failure.ts';
import { type ClientOptions, send } from './http.ts';
import type { Progress } from './progress.ts';

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
 * @throws PurlFailure, also when the server answers 400 or above (the body was written then)
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
  try {
    if (typeof to === 'string') await pipeline(answer, counted, createWriteStream(to));
    else await pipeline(answer, counted, to, { end: false });
  } catch (error) {
    if (error instanceof PurlFailure) throw error;
    if (typeof to === 'string' && !answer.readableAborted) {
      throw new PurlFailure('localWrite', `cannot write ${to}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    if (answer.httpVersion !== '1.0') {
      throw new PurlFailure('partial', `the answer of ${url.host} broke off`, { cause: error });
    }
  } finally {
    progress.stop();
  }
  if (statusCode >= 400) {
    throw new PurlFailure('httpStatus', `${url.host} answered ${statusCode} ${statusMessage}`);
  }
}
