import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { type ApiReply, isKnownTag, WrittenJson } from '../dialects/v2/index.ts';
import type { GatewayReply, GatewayRequest } from '../gateway/types.ts';
import { acceptedIn } from '../wire/accepted.ts';
import { portableJson } from '../wire/portableJson.ts';
import { headerOf } from './negotiation.ts';

/** Shorter answers get no shorter by it. */
const WORTH_BYTES = 1024;

/**
 * An answer of up to so many bytes is compressed at once, in about 0.1 ms at most: the way to another thread and back takes
 * several times as much processor time as one of 1 KiB.
 */
const SHORT_BYTES = 16 * 1024;

type Encode = (bytes: Buffer) => Buffer | Promise<Buffer>;

/** Zstandard is in Node from 22.15 on. */
const { zstdCompress: zstd, zstdCompressSync: zstdSync } = zlib as {
  zstdCompress?: (bytes: Buffer, done: Done) => void;
  zstdCompressSync?: (bytes: Buffer) => Buffer;
};
type Done = (error: Error | null, result: Buffer) => void;

const gzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);
const GZIP = { level: 4 } as const;

/** The one way for short answers, the other for long ones. */
const either =
  (short: (bytes: Buffer) => Buffer, long: (bytes: Buffer) => Promise<Buffer>): Encode =>
  (bytes) =>
    bytes.length <= SHORT_BYTES ? short(bytes) : long(bytes);

/** What this Node can write, the best first. */
const encodings: ReadonlyMap<string, Encode> = new Map<string, Encode>([
  ...(zstd === undefined || zstdSync === undefined
    ? []
    : [['zstd', either(zstdSync, promisify(zstd) as (bytes: Buffer) => Promise<Buffer>)] as const]),
  [
    'gzip',
    either(
      (bytes) => zlib.gzipSync(bytes, GZIP),
      (bytes) => gzip(bytes, GZIP),
    ),
  ],
]);

/**
 * An answer of `/api/v2` as it is sent. JSON has a tag by which a client asks whether it has changed (RFC 9110, 13), and is
 * compressed where the client takes that.
 */
export function sentReply(
  reply: ApiReply,
  request: GatewayRequest,
  more: GatewayReply['headers'],
): GatewayReply | Promise<GatewayReply> {
  const { status, headers = [], body, stream } = reply;
  const own = [...headers, ...more];
  if (stream !== undefined) return { status, headers: own, body: stream };
  if (body === undefined) return { status, headers: own, body: Buffer.alloc(0) };
  const hasType = headers.some(([name]) => name === 'Content-Type');
  const typed = hasType ? own : [['Content-Type', 'application/json'] as const, ...own];
  const json = body instanceof WrittenJson ? body : new WrittenJson(portableJson(body));
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (status !== 200 || !isRead) return encoded(json, { status, headers: typed }, request);
  const { tag } = json;
  const tagged = [['ETag', tag], ['Vary', 'Accept-Encoding'], ...typed] as const;
  if (isKnownTag(headerOf(request, 'if-none-match'), tag)) {
    const lean = tagged.filter(([name]) => name !== 'Content-Type');
    return { status: 304, headers: lean, body: Buffer.alloc(0) };
  }
  return encoded(json, { status, headers: tagged }, request);
}

function encoded(
  { text, bytes }: WrittenJson,
  { status, headers }: Pick<GatewayReply, 'status' | 'headers'>,
  request: GatewayRequest,
): GatewayReply | Promise<GatewayReply> {
  const accepted = bytes < WORTH_BYTES ? undefined : headerOf(request, 'accept-encoding');
  const encoding = accepted === undefined ? undefined : bestIn(accepted);
  if (encoding === undefined) {
    return { status, headers: [['Content-Length', String(bytes)], ...headers], body: text };
  }
  const [name, encode] = encoding;
  const reply = (body: Buffer): GatewayReply => ({
    ...{ status, headers: [['Content-Encoding', name], ...headers] as const, body },
  });
  const encodedBody = encode(Buffer.from(text));
  return Buffer.isBuffer(encodedBody) ? reply(encodedBody) : encodedBody.then(reply);
}

function bestIn(header: string): readonly [string, Encode] | undefined {
  const accepted = acceptedIn(header);
  for (const [name, encode] of encodings) if (accepted.has(name)) return [name, encode];
  return undefined;
}
