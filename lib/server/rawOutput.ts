import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Services } from '../actions/action.ts';
import { OUTPUT_TYPE, rangedOutput } from '../dialects/rangedOutput.ts';
import { BadRequestError, PmanError } from '../errors.ts';
import type { GatewayReply, GatewayRequest } from '../gateway/types.ts';
import type { TimedPiece } from '../jobs/outputPieces.ts';
import { requireName, rootByPiece } from '../tree/lookup.ts';
import { TreeNode } from '../tree/node.ts';
import { originForm } from './echo.ts';

/** What a GET of an output asks for. */
interface OutputRequest {
  readonly root: string;
  readonly record: TreeNode;
  readonly stream: 'stdout' | 'stderr' | 'output';
  /** One sub-job; all of them in order when left out. */
  readonly part: number | undefined;
  /** Go on until the job has ended. */
  readonly follow: boolean;
  /** For `output`: what came in after this, in milliseconds since 1970. */
  readonly since: number;
}

/** `/api/v1/<job>[/<k>]/stdout`, `…/stderr` and `…/output`. No place of a tree has such a path. */
const OUTPUT_PATH =
  /^\/[^/]*\/[^/]*\/([^/?]+)(?:\/(\d{1,6}))?\/(stdout|stderr|output)\/?(?:\?(.*))?$/;

/** Nothing is below an output, nor at a number that no part has. */
const BELOW_OUTPUT =
  /^\/[^/]*\/[^/]*\/[^/?]+(?:\/\d+)?\/(?:stdout|stderr|output)\/[^?]*[^/?]|^\/[^/]*\/[^/]*\/[^/?]+\/\d{7,}\/(?:stdout|stderr|output)(?:[/?]|$)/;

/**
 * The whole output of a job or a sub-job, byte for byte, as text: with `Range` (RFC 9110, 14), or followed to the end
 * of the job with `?follow=1`. `…/output` is both streams in the order in which they came in, a line of JSON for each chunk,
 * those after `?since=`. Of a job in a container: what is kept of its output, as stdout.
 * @param request one that isOutput knows
 * @param signal ends what is followed
 * @throws PmanError not_found for an unknown job or part
 */
export async function outputReply(
  services: Services,
  { target, rawHeaders }: GatewayRequest,
  signal: AbortSignal,
): Promise<GatewayReply> {
  const form = originForm(target);
  if (BELOW_OUTPUT.test(form)) {
    throw new PmanError('not_found', `there is nothing at ${form.slice(0, 200)}`, {
      hint: 'an output is at /api/v1/<job>/stdout, or /api/v1/<job>/<part>/stdout',
    });
  }
  const asked = parse(services, form);
  const { root, record, stream, part } = asked;
  if (stream === 'output') return timedOutput(services, asked);
  const { jobs } = services;
  if (asked.follow) {
    const output = jobs.follow(root, record, { stream, part }, signal);
    return {
      status: 200,
      headers: [['Content-Type', OUTPUT_TYPE]],
      body: Readable.from(output, { objectMode: false }),
    };
  }
  const pieces = await jobs.output(root, record, { stream, part });
  return rangedOutput(
    pieces,
    (wanted) => rawHeaders.find(([name]) => name.toLowerCase() === wanted)?.[1],
  );
}

/** Whether a request asks for an output. */
export function isOutput({ method, target }: Pick<GatewayRequest, 'method' | 'target'>): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const form = originForm(target);
  return OUTPUT_PATH.test(form) || BELOW_OUTPUT.test(form);
}

function parse(services: Services, target: string): OutputRequest {
  const [, job = '', part, name, query] = OUTPUT_PATH.exec(target) ?? [];
  const stream = name === 'stderr' || name === 'output' ? name : 'stdout';
  requireName(job);
  const root = rootByPiece(services.database, job);
  if (root === undefined || !services.database.has(root)) {
    throw new PmanError('not_found', `there is no job ${job}`, {
      hint: 'GET /api/v1 lists the jobs',
    });
  }
  const k = part === undefined ? undefined : Number(part);
  const record = services.database.tree(root) ?? new TreeNode();
  if (k !== undefined) requirePart(services, root, record, k);
  const parameters = new URLSearchParams(query);
  const follow = parameters.get('follow');
  return {
    since: sinceIn(parameters.get('since')),
    root,
    record,
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

/** @throws PmanError not_found for a part that the job does not have and will not get */
function requirePart({ jobs }: Services, root: string, record: TreeNode, part: number): void {
  if (jobs.hasPart(root, record, part)) return;
  throw new PmanError('not_found', `the job ${root} has no part ${part}`, {
    hint: `it has ${jobs.progress(record).entries.length}, counted from 0`,
  });
}

/** Both streams of a job or a sub-job, a line of JSON for each chunk. */
function timedOutput(
  { jobs }: Services,
  { root, record, part, since }: OutputRequest,
): GatewayReply {
  const count = jobs.progress(record).entries.length;
  const parts = part === undefined ? [...Array(count).keys()] : [part];
  const lines = function* () {
    for (const k of parts) {
      for (const piece of jobs.timedOutput(root, k)) {
        if (piece.seenAt > since) yield* chunkLines(piece, k);
      }
    }
  };
  return {
    status: 200,
    headers: [['Content-Type', 'application/x-ndjson']],
    body: Readable.from(lines(), { objectMode: false }),
  };
}

function* chunkLines(piece: TimedPiece, part: number): Generator<Buffer> {
  const { stream, seenAt, file, to } = piece;
  for (let { from } = piece; from < to; from += MAX_CHUNK_BYTES) {
    const bytes = readBytes(file, from, Math.min(to, from + MAX_CHUNK_BYTES));
    const content = isUtf8(bytes)
      ? { text: bytes.toString() }
      : { base64: bytes.toString('base64') };
    yield Buffer.from(`${JSON.stringify({ time: seenAt, part, stream, from, ...content })}\n`);
  }
}

/** A line of the output of both streams holds no more than this; longer chunks are several. */
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
