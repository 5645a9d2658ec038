import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { BadRequestError, messageOf } from '../errors.ts';
import { boundaryOf, FormParser, MAX_PARTS } from './formParser.ts';

export type Fields = ReadonlyMap<string, string>;

/** The fields of a url-encoded form with a `d_msg`; undefined for any other body, such as JSON that curl calls a form. */
export function readFields(body: string, contentType: string): Fields | undefined {
  if (!/^application\/x-www-form-urlencoded/i.test(contentType)) return undefined;
  if (/^\s*[{["]/.test(body)) return undefined;
  if (body.split('&', MAX_PARTS + 1).length > MAX_PARTS) {
    throw new BadRequestError('the form has too many fields');
  }
  const fields = new Map(new URLSearchParams(body));
  return fields.has('d_msg') ? fields : undefined;
}

/**
 * Reads a multipart form as it arrives. The part `local` is handed on as a stream together with the
 * fields that came before it and a promise of all fields, which fails when the form does not come to
 * its end. What the handler resolves to is returned with all fields.
 * @throws BadRequestError for a form that is malformed or breaks off; what the handler fails with
 */
export async function readForm<T>(
  request: IncomingMessage,
  onLocal: (content: Readable, before: Fields, all: Promise<Fields>) => Promise<T>,
): Promise<{ fields: Fields; local: T | undefined }> {
  const fields = new Map<string, string>();
  let content: Readable | undefined;
  let handled: Promise<T> | undefined;
  const all = deferred<Fields>();
  const parser = new FormParser(boundaryOf(request.headers['content-type'] ?? ''), {
    isFile: (name) => name === 'local',
    onField: (name, value) => fields.set(name, value),
    onFile: (_name, stream) => {
      if (handled !== undefined) {
        stream.resume();
        return;
      }
      content = stream;
      stream.on('error', () => {});
      handled = onLocal(stream, fields, all.promise);
      // When nobody reads the part any more the form would stand still for ever.
      handled.catch((error: unknown) => parser.destroy(asError(error)));
    },
  });
  // Errors are taken from `feed` and from the handler; these streams may fail again after those.
  parser.on('error', () => {});
  try {
    await feed(request, parser);
  } catch (error) {
    const broken = new BadRequestError(`the form broke off: ${messageOf(error)}`, { cause: error });
    content?.destroy(broken);
    all.reject(broken);
    // The handler's own error says more than that the form did not end.
    await handled;
    throw error instanceof BadRequestError ? error : broken;
  }
  all.resolve(fields);
  return { fields, local: await handled };
}

/** Pipes a request into the parser until the parser has seen its end. `pipeline` would end the connection when it fails. */
function feed(request: IncomingMessage, parser: FormParser): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.once('finish', resolve);
    parser.once('error', (error) => {
      request.unpipe();
      reject(asError(error));
    });
    request.once('error', reject);
    request.once('close', () => {
      if (!request.complete) reject(new BadRequestError('the connection was closed'));
    });
    request.pipe(parser);
  });
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {}); // Nobody may be waiting for it.
  return { promise, resolve, reject };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error), { cause: error });
}
