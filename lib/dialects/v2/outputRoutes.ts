import { Readable } from 'node:stream';
import { BadRequestError, PmanError } from '../../errors.ts';
import { bytesOf, type OutputPiece, sizeOf } from '../../jobs/outputPieces.ts';
import { TreeNode } from '../../tree/node.ts';
import { OUTPUT_TYPE, rangedOutput } from '../rangedOutput.ts';
import { type ApiContext, defineRoute } from './apiRoute.ts';
import { jobResource } from './jobResource.ts';
import { requireJob } from './jobRoutes.ts';
import { bothQuerySchema, followQuerySchema } from './outputSchemas.ts';
import {
  formIn,
  type LineForm,
  linesOf,
  type OutputLine,
  outputStream,
  type Place,
  placeIn,
  timedLines,
} from './outputStream.ts';
import { idSchema } from './schemaParts.ts';

const LINE_TYPES = ['text/event-stream', 'application/x-ndjson'] as const;
const NO_SUCH_JOB = { description: 'There is no such job, or no such part of it.' };
const HEADERS = {
  Accept: '`text/event-stream` or `application/x-ndjson` for lines that go on until the job ends.',
  'Last-Event-ID': 'As `offset`: browsers send it when they connect again.',
};

/** One of the two outputs of a job. */
function outputRoute(stream: 'stdout' | 'stderr') {
  return defineRoute({
    method: 'GET',
    path: `/api/v2/jobs/{id}/${stream}`,
    operation: stream === 'stdout' ? 'getStdout' : 'getStderr',
    summary: `Gives what a job has written to ${stream}, byte for byte; with \`follow=1\`, and what it will write.`,
    params: idSchema,
    query: followQuerySchema,
    requestHeaders: { Range: 'A range of bytes, such as `bytes=100-`.', ...HEADERS },
    answers: {
      200: { description: 'All of it.', types: [OUTPUT_TYPE, ...LINE_TYPES] },
      206: { description: 'The range that was asked for.', types: [OUTPUT_TYPE] },
      404: NO_SUCH_JOB,
      416: { description: 'There is no such range, or not yet.' },
    },
    async handle({ params, query, header, signal }, context) {
      const { jobs } = context;
      const { root, record } = jobAndPart(context, params.id, query.part);
      const asked = { stream, part: query.part };
      const form = formIn(header('accept'));
      const follow = isOn(query.follow);
      if (form === undefined && !follow && query.offset === undefined) {
        const { status, headers, body } = rangedOutput(
          await jobs.output(root, record, asked),
          header,
        );
        return { status, headers, stream: body };
      }
      const from = offsetIn(header('last-event-id')) ?? query.offset ?? 0;
      if (from > 0) await requireOffset(context, root, record, { ...asked, from });
      const output = jobs.follow(root, record, { ...asked, from }, signal);
      if (form === undefined) {
        return {
          status: 200,
          headers: [['Content-Type', OUTPUT_TYPE]],
          stream: Readable.from(output, { objectMode: false }),
        };
      }
      const lines = linesOf(output, stream, query.part, from);
      return outputStream(withEnd(context, root, lines, signal), form);
    },
  });
}

export const getStdout = outputRoute('stdout');
export const getStderr = outputRoute('stderr');

export const getOutput = defineRoute({
  method: 'GET',
  path: '/api/v2/jobs/{id}/output',
  operation: 'getOutput',
  summary:
    'Gives both outputs of a job in the order in which they came in, each line with the output that it is of. Of a container, whose outputs are one, all of it counts as stdout.',
  params: idSchema,
  query: bothQuerySchema,
  requestHeaders: HEADERS,
  answers: {
    200: { description: 'Lines of JSON.', types: ['application/x-ndjson', 'text/event-stream'] },
    404: NO_SUCH_JOB,
  },
  async handle({ params, query, header, signal }, context) {
    const { jobs, database } = context;
    const { root, record } = jobAndPart(context, params.id, query.part);
    const form: LineForm = formIn(header('accept')) ?? 'ndjson';
    const follow = isOn(query.follow) || form === 'sse';
    const from = placeIn(header('last-event-id') || query.offset);
    await requirePlace(context, root, record, from);
    const now = () => database.tree(root) ?? record;
    let lines: AsyncIterable<OutputLine>;
    if (jobs.view(record).isContainer) {
      const asked = { stream: 'stdout', part: undefined, from: from.stdout } as const;
      const bytes = follow
        ? jobs.follow(root, record, asked, signal)
        : bytesBehind(await jobs.output(root, record, asked), asked.from);
      lines = containerLines(linesOf(bytes, 'stdout', 0, asked.from));
    } else {
      const job = {
        parts: () => jobs.progress(now()).entries.length,
        isActive: () => jobs.isActive(root),
        timed: (part: number) => jobs.timedOutput(root, part),
      };
      lines = timedLines(job, { from, part: query.part, follow }, signal);
    }
    return outputStream(follow ? withEnd(context, root, lines, signal) : lines, form);
  },
});

const bytesBehind = (pieces: readonly OutputPiece[], from: number) =>
  bytesOf(pieces, from, sizeOf(pieces));

async function* containerLines(lines: AsyncIterable<OutputLine>): AsyncGenerator<OutputLine> {
  for await (const line of lines) yield 'id' in line ? { ...line, id: `0.${line.id}.0` } : line;
}

/** The last line says how the job has ended. */
async function* withEnd(
  { jobs, database }: ApiContext,
  root: string,
  lines: AsyncIterable<OutputLine>,
  signal: AbortSignal,
): AsyncGenerator<OutputLine> {
  yield* lines;
  if (signal.aborted || jobs.isActive(root)) return;
  yield { ended: jobResource(jobs, root, database.tree(root) ?? new TreeNode()).state };
}

/** @throws PmanError not_found for a job that is not there, or that has no such part and will not get it */
function jobAndPart(context: ApiContext, id: string, part: number | undefined) {
  const root = requireJob(context, id);
  const record = context.database.tree(root) ?? new TreeNode();
  if (part !== undefined && !context.jobs.hasPart(root, record, part)) {
    throw new PmanError('not_found', `the job ${root} has no part ${part}`);
  }
  return { root, record };
}

/** @throws BadRequestError for an offset behind the end of the output */
async function requireOffset(
  { jobs }: ApiContext,
  root: string,
  record: TreeNode,
  asked: { readonly stream: 'stdout' | 'stderr'; readonly part: number | undefined; from: number },
): Promise<void> {
  const size = sizeOf(await jobs.output(root, record, asked));
  // What a container writes is known while it is followed, and not before.
  if (asked.from <= size || jobs.isActive(root)) return;
  throw new BadRequestError(`the offset ${asked.from} is behind the end: there are ${size} bytes`);
}

/** @throws BadRequestError for a place that is not in what the job has written, and will not be */
async function requirePlace(
  { jobs }: ApiContext,
  root: string,
  record: TreeNode,
  from: Place,
): Promise<void> {
  if (jobs.isActive(root)) return;
  const isContainer = jobs.view(record).isContainer;
  const part = isContainer ? undefined : from.part;
  let isThere = from.part === 0 || (part !== undefined && jobs.hasPart(root, record, part));
  for (const stream of ['stdout', 'stderr'] as const) {
    if (from[stream] === 0) continue;
    const size = sizeOf(await jobs.output(root, record, { stream, part }));
    isThere &&= from[stream] <= size;
  }
  if (isThere) return;
  const place = `${from.part}.${from.stdout}.${from.stderr}`;
  throw new BadRequestError(`the offset ${place} is behind the end`, {
    hint: 'take the "id" of the last line that you have, of the same job',
  });
}

/** @throws BadRequestError for what is no number of bytes */
function offsetIn(id: string | undefined): number | undefined {
  if (id === undefined || id === '') return undefined;
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new BadRequestError(`Last-Event-ID: ${JSON.stringify(id.slice(0, 40))} is no offset`);
}

const isOn = (value: string | undefined) => value === '1' || value === 'true';
