import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { BadRequestError } from '../../errors.ts';
import type { IndexedLine } from '../../lines/lineIndex.ts';
import type { LinesRead } from '../../lines/lineOrders.ts';
import type { Wanted } from '../../lines/pattern.ts';
import { TreeNode } from '../../tree/node.ts';
import { type ApiContext, defineRoute } from './apiRoute.ts';
import { requireJob } from './jobRoutes.ts';
import {
  findQuerySchema,
  foundLinesSchema,
  linesQuerySchema,
  outputLinesSchema,
} from './lineSchemas.ts';
import { idSchema } from './schemaParts.ts';

const NO_SUCH_JOB = { description: 'There is no such job.' };
/** How often it is looked whether there is more, in milliseconds. */
const LOOK_MS = 100;

export const getOutputLines = defineRoute({
  method: 'GET',
  path: '/api/v2/jobs/{id}/output/lines',
  operation: 'getOutputLines',
  summary:
    'Gives lines of what a job has written, of both outputs in the order in which they began. A line keeps its number, also while the job goes on.',
  params: idSchema,
  query: linesQuerySchema,
  answers: { 200: { description: 'Lines.', schema: outputLinesSchema }, 404: NO_SUCH_JOB },
  handle({ params, query, signal }, context) {
    const root = requireJob(context, params.id);
    const { from, count, lineBytes, after, wait = 0 } = query;
    const until = performance.now() + wait * 1000;
    const later = async () => {
      for (;;) {
        // Asked before the look at the outputs: what is written before the end is seen.
        const isActive = context.jobs.isActive(root);
        const parts = await partsOf(context, root);
        const order = { key: root, parts, from, count, lineBytes };
        const read = await context.lines.read(order, signal);
        const hasEnded = read.isWhole && !isActive && isClosed(context, root);
        const isNews = after === undefined || read.bytes > after || hasEnded;
        if (isNews || signal.aborted || performance.now() >= until) {
          return { status: 200, body: toldLines(read, hasEnded) };
        }
        await sleep(LOOK_MS, undefined, { ref: false });
      }
    };
    return { later };
  },
});

export const findOutputLines = defineRoute({
  method: 'GET',
  path: '/api/v2/jobs/{id}/output/find',
  operation: 'findOutputLines',
  summary:
    'Finds the lines of what a job has written that have a text or fit an expression. Colours and other orders to a terminal do not count.',
  params: idSchema,
  query: findQuerySchema,
  answers: {
    200: { description: 'Numbers of lines.', schema: foundLinesSchema },
    404: NO_SUCH_JOB,
  },
  handle({ params, query, signal }, context) {
    const root = requireJob(context, params.id);
    const { from, limit, stream } = query;
    const wanted = wantedIn(query);
    const later = async () => {
      const parts = await partsOf(context, root);
      const { isWhole, ...found } = await context.lines.search(
        { parts, wanted, stream, from, limit },
        signal,
      );
      return { status: 200, body: { ...found, whole: isWhole } };
    };
    return { later };
  },
});

/** Whether the record has the job's end. A server that has just started takes its jobs up first. */
function isClosed({ jobs, database }: ApiContext, root: string): boolean {
  const record = database.tree(root);
  return record === undefined || jobs.progress(record).isDone;
}

function partsOf({ jobs, database }: ApiContext, root: string) {
  return jobs.partOutputs(root, database.tree(root) ?? new TreeNode());
}

/** @throws BadRequestError unless it is a text, an expression or an output */
function wantedIn(query: z.infer<typeof findQuerySchema>): Wanted | undefined {
  const { text, regex, stream, ignoreCase } = query;
  const isOne = ignoreCase === '1' || ignoreCase === 'true';
  if (text !== undefined && regex === undefined) return { text, ignoreCase: isOne };
  if (regex !== undefined && text === undefined) return { regex, ignoreCase: isOne };
  if (text === undefined && regex === undefined && stream !== undefined) return undefined;
  throw new BadRequestError(
    'the query: it needs "text" or "regex" and not both, or "stream" alone',
    {
      hint: 'see /openapi.json',
    },
  );
}

function toldLines(
  { lines, open, total, bytes, isWhole }: LinesRead,
  ended: boolean,
): z.infer<typeof outputLinesSchema> {
  const told = { lines: lines.map(toldLine), open: open.map(toldLine) };
  return { ...told, total, bytes, whole: isWhole, ended };
}

function toldLine({ line, stream, part, seenAt, text, bytes, isOpen }: IndexedLine) {
  return {
    ...{ line, stream, part, text },
    ...(Number.isNaN(seenAt) ? {} : { time: new Date(seenAt).toISOString() }),
    ...(bytes > Buffer.byteLength(text) ? { bytes } : {}),
    ...(isOpen ? { open: true as const } : {}),
  };
}
