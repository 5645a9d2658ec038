import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { BadRequestError, messageOf, PmanError } from '../errors.ts';
import { CHECK_NAMES } from '../transfer/contentCheck.ts';
import { boundaryOf, FormParser, MAX_PARTS } from '../wire/formParser.ts';
import { textRoom } from './textRoom.ts';

/** What is read of a form: which of two would be meant? Of other names nothing is read. */
const SINGLE = ['d_msg', 'local', 'encoding', 'filename', ...Object.keys(CHECK_NAMES)];

export type Fields = ReadonlyMap<string, string>;

/** The fields of a url-encoded form with a `d_msg`; undefined for any other body, such as JSON that curl calls a form. */
export function readFields(body: string, contentType: string): Fields | undefined {
  if (!/^application\/x-www-form-urlencoded/i.test(contentType)) return undefined;
  if (/^\s*[{["]/.test(body)) return undefined;
  if (body.split('&', MAX_PARTS + 1).length > MAX_PARTS) {
    throw new BadRequestError('the form has too many fields');
  }
  const given = new URLSearchParams(body);
  for (const name of SINGLE) if (given.getAll(name).length > 1) throw givenTwice(name);
  const fields = new Map(given);
  return fields.has('d_msg') ? fields : undefined;
}

/** A multipart form that is arriving. */
export interface OpenForm {
  /** The fields that came before the content, or all of a form without content. */
  readonly before: Fields;
  /** The part `local`; it has to be read or given up, or the form stands still. It fails when the form breaks off. */
  readonly content: Readable | undefined;
  /** All fields, when the form has come to its end; fails when it does not. */
  readonly all: Promise<Fields>;
  /** How many bytes of the request have come. */
  bytes(): number;
  /** Reads no more of the form, for this reason. */
  giveUp(reason: unknown): void;
}

/**
 * Reads a multipart form up to its content, or to its end when it has none.
 * @throws BadRequestError for a form that is malformed or breaks off before that
 */
export async function openForm(request: IncomingMessage): Promise<OpenForm> {
  const fields = new Map<string, string>();
  const started = deferred<Pick<OpenForm, 'before' | 'content'>>();
  const all = deferred<Fields>();
  let content: Readable | undefined;
  let bytes = 0;
  const place = textRoom.enter();
  const parser = new FormParser(boundaryOf(request.headers['content-type'] ?? ''), {
    isFile: (name) => name === 'local',
    onField: (name, value) => {
      if (fields.has(name) && SINGLE.includes(name)) throw givenTwice(name);
      fields.set(name, value);
    },
    onFieldBytes: (more) => place.take(more),
    onFile: (_name, stream) => {
      if (content !== undefined) throw givenTwice('local');
      content = stream;
      started.resolve({ before: new Map(fields), content });
    },
  });
  // Errors are taken from `feed`; the parser may fail again after that.
  parser.on('error', () => {});
  parser.once('close', () => place.leave());
  request.once('close', () => place.leave());
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  feed(request, parser).then(
    () => {
      started.resolve({ before: fields, content: undefined });
      all.resolve(fields);
    },
    (error: unknown) => {
      const broken =
        error instanceof PmanError
          ? error
          : new BadRequestError(`the form broke off: ${messageOf(error)}`, { cause: error });
      started.reject(broken);
      content?.destroy(broken);
      all.reject(broken);
    },
  );
  return {
    ...(await started.promise),
    all: all.promise,
    bytes: () => bytes,
    giveUp: (reason) => parser.destroy(asError(reason)),
  };
}

function givenTwice(name: string): BadRequestError {
  return new BadRequestError(`the form has the part "${name}" twice`, {
    hint: 'send one file with a request, or an archive of several',
  });
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
