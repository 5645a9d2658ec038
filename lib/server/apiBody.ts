import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Soon, whenThere } from '../concurrency/soon.ts';
import { BadRequestError, messageOf, PmanError } from '../errors.ts';
import type { GatewayRequest } from '../gateway/types.ts';
import { boundaryOf, FormParser } from '../wire/formParser.ts';
import { isLargerThan, type JsonValue } from '../wire/json.ts';
import { type Payload, readPayload } from '../wire/payload.ts';
import { plainNumbers } from '../wire/plainNumbers.ts';
import { KEPT_LIMITS } from '../wire/request.ts';

/** The body of a request of `/api/v2`. */
export interface ApiBody {
  /** Undefined when there is none. */
  readonly json: JsonValue | undefined;
  /** What a job is to read. */
  readonly input?: Buffer;
}

/**
 * Reads a body: JSON, or a form (RFC 7578) with the JSON as its part `job`, and the part `stdin`.
 * @throws PmanError bad_request for what is neither; unsupported_media_type for what is compressed
 */
export function readApiBody({ rawHeaders, body }: GatewayRequest): Soon<ApiBody> {
  const header = (wanted: string) =>
    rawHeaders.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';
  if (body.length > 0) requirePlain(header('content-encoding'));
  const type = header('content-type');
  if (/^multipart\/form-data\b/i.test(type)) return readForm(body, type);
  return whenThere(jsonIn(body), (json) => ({ json }));
}

/** Nothing here unpacks: a few bytes would become as many as their sender likes. @throws PmanError unsupported_media_type */
function requirePlain(encoding: string): void {
  const coding = encoding.trim();
  if (coding === '' || coding.toLowerCase() === 'identity') return;
  const shown = JSON.stringify(coding.slice(0, 80));
  throw new PmanError(
    'unsupported_media_type',
    `the header Content-Encoding: a body is taken as it is, and not as ${shown}`,
    { hint: 'send it without that header, and not compressed' },
  );
}

async function readForm(body: Buffer, type: string): Promise<ApiBody> {
  const parts = await partsOf(body, type);
  const job = parts.get('job');
  const input = parts.get('stdin');
  if (job === undefined) throw wrongForm();
  const json = await jsonIn(job);
  return input === undefined ? { json } : { json, input };
}

function wrongForm(why = ''): BadRequestError {
  return new BadRequestError(`the form: it takes one part "job" and one "stdin"${why}`, {
    hint: 'curl -F job=\'{"command": "wc -c"}\' -F stdin=@file',
  });
}

function jsonIn(bytes: Buffer): Soon<JsonValue | undefined> {
  return whenThere(readPayload(bytes), (payload) => {
    if (payload === undefined) throw new PmanError('bad_request', 'the body is not UTF-8 text');
    if (payload.isBlank) return undefined;
    return whenThere(parsed(payload), (value) => plainNumbers(smallBody(value)));
  });
}

/** The envelope has a hint of its own for what is no JSON. */
function parsed(payload: Payload): Soon<JsonValue> {
  try {
    const value = payload.json();
    return value instanceof Promise ? value.catch(explain) : value;
  } catch (error) {
    return explain(error);
  }
}

function explain(error: unknown): never {
  if (!(error instanceof BadRequestError)) throw error;
  throw new BadRequestError(error.message, {
    hint: 'send one JSON object, such as {"command": "echo hello"}; see /openapi.json',
    cause: error,
  });
}

/** Nothing that is said to the API is as large as that. @throws PmanError payload_too_large */
function smallBody(body: JsonValue): JsonValue {
  if (!isLargerThan(body, KEPT_LIMITS)) return body;
  const { maxCharacters, maxValues } = KEPT_LIMITS;
  throw new PmanError(
    'payload_too_large',
    `the body has more than ${maxCharacters} characters or ${maxValues} values`,
    { hint: 'put long data into a file that the job reads' },
  );
}

/** The parts of a form, byte by byte as they came. */
async function partsOf(body: Buffer, type: string): Promise<ReadonlyMap<string, Buffer>> {
  const parts = new Map<string, Promise<Buffer>>();
  const parser = new FormParser(boundaryOf(type), {
    isFile: () => true,
    onField: () => {},
    onFile: (name, content) => {
      if (name !== 'job' && name !== 'stdin')
        throw wrongForm(`, and not ${JSON.stringify(name.slice(0, 80))}`);
      if (parts.has(name)) throw wrongForm();
      const whole = buffer(content);
      whole.catch(() => {}); // The form's own failure says it.
      parts.set(name, whole);
    },
  });
  try {
    await pipeline(Readable.from([body], { objectMode: false }), parser);
  } catch (error) {
    if (error instanceof BadRequestError) throw error;
    throw new BadRequestError(`the form cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const read = await Promise.all(
    [...parts].map(async ([name, whole]) => [name, await whole] as const),
  );
  return new Map(read);
}
