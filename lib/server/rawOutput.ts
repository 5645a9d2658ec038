import { isUtf8 } from 'node:buffer';
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Services } from '../actions/action.ts';
import { BadRequestError, PmanError } from '../errors.ts';
import type { GatewayReply, GatewayRequest } from '../gateway/types.ts';
import { isContainerRecord, knownContainer } from '../jobs/container/knownContainer.ts';
import { progressOf } from '../jobs/progress.ts';
import { rootByPiece } from '../tree/lookup.ts';
import { originForm } from './echo.ts';

/** What a GET of an output asks for. */
interface OutputRequest {
  readonly root: string;
  readonly stream: 'stdout' | 'stderr' | 'output';
  /** One sub-job; all of them in order when left out. */
  readonly part: number | undefined;
  /** Go on until the job has ended. */
  readonly follow: boolean;
  /** For `output`: what came in after this, in milliseconds since 1970. */
  readonly since: number;
}

/** A stretch of an output: a file, or text that is kept in the record only. */
interface Piece {
  readonly file?: string;
  readonly text?: Buffer;
  readonly bytes: number;
}

/** `/api/v1/<job>[/<k>]/stdout`, `…/stderr` and `…/output`. No place of a tree has such a path. */
const OUTPUT_PATH =
  /^\/[^/]*\/[^/]*\/([^/?]+)(?:\/(\d{1,6}))?\/(stdout|stderr|output)\/?(?:\?(.*))?$/;

/** How often a followed output is looked at for more, in milliseconds. */
const FOLLOW_POLL_MS = 100;

/**
 * The whole output of a job or a sub-job, byte for byte, as text: with `Range` (RFC 9110, 14), or followed to the end
 * of the job with `?follow=1`. `…/output` is both streams in the order in which they came in, a line of JSON for each chunk,
 * those after `?since=`. Of a job in a container: what is kept of its output, as stdout.
 * Undefined when the request asks for something else.
 * @throws PmanError not_found for an unknown job or part
 */
export async function outputReply(
  services: Services,
  { method, target, rawHeaders, signal }: GatewayRequest,
): Promise<GatewayReply | undefined> {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const asked = parse(services, originForm(target));
  if (asked === undefined) return undefined;
  if (asked.stream === 'output') return mergedOutput(services, asked);
  if (asked.follow) {
    return {
      status: 200,
      headers: [['Content-Type', TEXT]],
      body: Readable.from(followed(services, asked, signal), { objectMode: false }),
    };
  }
  const pieces = await piecesOf(services, asked);
  const size = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const header = (wanted: string) =>
    rawHeaders.find(([name]) => name.toLowerCase() === wanted)?.[1];
  // What goes on may only be a part of what was, and it has no tag by which a client could tell (RFC 9110, 13.1.5).
  const range = header('if-range') === undefined ? rangeOf(header('range'), size) : undefined;
  if (range === 'unsatisfiable') {
    const nothing = [
      ['Content-Range', `bytes */${size}`],
      ['Content-Length', '0'],
    ] as const;
    return { status: 416, headers: nothing, body: Buffer.alloc(0) };
  }
  const { from, to } = range ?? { from: 0, to: size };
  return {
    status: range === undefined ? 200 : 206,
    headers: [
      ['Content-Length', String(to - from)],
      ['Content-Type', TEXT],
      ['Accept-Ranges', 'bytes'],
      ...(range ? [['Content-Range', `bytes ${from}-${to - 1}/${size}`] as const] : []),
    ],
    body: Readable.from(bytesOf(pieces, from, to), { objectMode: false }),
  };
}

const TEXT = 'text/plain; charset=utf-8';

function parse(services: Services, target: string): OutputRequest | undefined {
  const [, job, part, stream, query] = OUTPUT_PATH.exec(target) ?? [];
  if (job === undefined || (stream !== 'stdout' && stream !== 'stderr' && stream !== 'output'))
    return undefined;
  const root = rootByPiece(services.database, job);
  if (root === undefined || !services.database.has(root)) {
    throw new PmanError('not_found', `there is no job ${job}`, {
      hint: 'GET /api/v1 lists the jobs',
    });
  }
  const k = part === undefined ? undefined : Number(part);
  if (k !== undefined) requirePart(services, root, k);
  const parameters = new URLSearchParams(query);
  const follow = parameters.get('follow');
  return {
    since: sinceIn(parameters.get('since')),
    root,
    stream,
    part: k,
    follow: follow !== null && follow !== '0' && follow !== 'false',
  };
}

/** @throws BadRequestError for what is no time in milliseconds */
function sinceIn(text: string | null): number {
  if (text === null || text === '') return 0;
  const since = Number(text);
  if (Number.isFinite(since)) return since;
  throw new BadRequestError(
    `the query of the output: "since": ${JSON.stringify(text.slice(0, 80))} is no number`,
    {
      hint: 'milliseconds since 1970, such as the "time" of the last line that you have',
    },
  );
}

/** A part of a job that has not ended may come yet. */
function requirePart({ database, jobs }: Services, root: string, part: number): void {
  const record = database.tree(root);
  const known = record === undefined ? 0 : progressOf(record).entries.length;
  if (part === 0 && record !== undefined && isContainerRecord(record)) return;
  if (part < known || jobs.isActive(root)) return;
  throw new PmanError('not_found', `the job ${root} has no part ${part}`, {
    hint: `it has ${known}, counted from 0`,
  });
}

/** The stretches that make up an output now. What has no file any more is taken from the record. */
async function piecesOf(services: Services, asked: OutputRequest): Promise<readonly Piece[]> {
  const { root, part } = asked;
  const stream = asked.stream === 'stderr' ? 'stderr' : 'stdout';
  const record = services.database.tree(root);
  if (record !== undefined && isContainerRecord(record)) {
    if (stream === 'stderr' || (part ?? 0) > 0) return [];
    const report = services.containers?.report(root, record) ?? knownContainer(record);
    const text = Buffer.from((await report).logs);
    return [{ text, bytes: text.length }];
  }
  const entries = record === undefined ? [] : progressOf(record).entries;
  const parts = part === undefined ? entries.keys() : [part];
  return [...parts].map((k) => {
    const file = services.jobs.outputs.file(root, k, stream);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat !== undefined) return { file, bytes: stat.size };
    const kept = entries[k]?.[stream];
    const text = Buffer.from(typeof kept === 'string' ? kept : '');
    return { text, bytes: text.length };
  });
}

/** The bytes `from` to before `to` of the stretches put together. */
async function* bytesOf(
  pieces: readonly Piece[],
  from: number,
  to: number,
): AsyncGenerator<Buffer> {
  let at = 0;
  for (const { file, text, bytes } of pieces) {
    const start = Math.max(from - at, 0);
    const end = Math.min(to - at, bytes);
    at += bytes;
    if (start >= end) continue;
    if (file === undefined) yield (text ?? Buffer.alloc(0)).subarray(start, end);
    else yield* createReadStream(file, { start, end: end - 1 }) as AsyncIterable<Buffer>;
  }
}

async function* followed(
  services: Services,
  asked: OutputRequest,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { containers } = services;
  if (containers?.isActive(asked.root)) {
    if (asked.stream === 'stdout' && (asked.part ?? 0) === 0) {
      yield* containers.follow(asked.root, signal);
      return;
    }
    await orAborted(containers.ended(asked.root), signal);
  }
  // Of each piece: a process that an earlier part has left behind may still write.
  const sent: number[] = [];
  for (;;) {
    // Asked before the look at the files: what is written before the end is seen.
    const active = services.jobs.isActive(asked.root);
    const pieces = await piecesOf(services, asked);
    for (const [k, piece] of pieces.entries()) {
      yield* bytesOf([piece], sent[k] ?? 0, piece.bytes);
      sent[k] = piece.bytes;
    }
    if (!active || signal.aborted) return;
    await sleep(FOLLOW_POLL_MS, undefined, { ref: false });
  }
}

async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  await Promise.race([
    work,
    new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
  ]);
}

/** A single range of bytes; undefined for none, and for forms that a server may ignore (several ranges, other units). */
function rangeOf(
  header: string | undefined,
  size: number,
): { readonly from: number; readonly to: number } | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const from = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const to = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  if (first !== '' && last !== '' && Number(last) < from) return undefined;
  return from < to ? { from, to } : 'unsatisfiable';
}

/** Both streams of a job or a sub-job, a line of JSON for each chunk. */
function mergedOutput(services: Services, asked: OutputRequest): GatewayReply {
  const record = services.database.tree(asked.root);
  const count = record === undefined ? 0 : progressOf(record).entries.length;
  const parts = asked.part === undefined ? [...Array(count).keys()] : [asked.part];
  const lines = function* () {
    for (const part of parts) yield* chunkLines(services, asked, part);
  };
  return {
    status: 200,
    headers: [['Content-Type', 'application/x-ndjson']],
    body: Readable.from(lines(), { objectMode: false }),
  };
}

function* chunkLines(
  services: Services,
  { root, since }: OutputRequest,
  part: number,
): Generator<Buffer> {
  for (const chunk of services.jobs.outputs.chunks(root, part, Date.now())) {
    if (chunk.seenAt <= since) continue;
    const file = services.jobs.outputs.file(root, part, chunk.stream);
    for (let from = chunk.from; from < chunk.to; from += MAX_CHUNK_BYTES) {
      const bytes = readBytes(file, from, Math.min(chunk.to, from + MAX_CHUNK_BYTES));
      const content = isUtf8(bytes)
        ? { text: bytes.toString() }
        : { base64: bytes.toString('base64') };
      const line = { time: chunk.seenAt, part, stream: chunk.stream, from, ...content };
      yield Buffer.from(`${JSON.stringify(line)}\n`);
    }
  }
}

/** A line of the merged output holds no more than this; longer chunks are several. */
const MAX_CHUNK_BYTES = 64 * 1024;

function readBytes(file: string, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  const fd = openSync(file, 'r');
  try {
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from));
  } finally {
    closeSync(fd);
  }
}
