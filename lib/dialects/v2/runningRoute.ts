import { inTurns } from '../../concurrency/turns.ts';
import { sessionUse } from '../../host/sessionUse.ts';
import { bytesOf, sizeOf } from '../../jobs/outputPieces.ts';
import { type ApiContext, defineRoute } from './apiRoute.ts';
import { runningSchema } from './runningSchema.ts';

/** Whoever looks at more sees the first of them. */
const MOST_JOBS = 200;

export const listRunning = defineRoute({
  method: 'GET',
  path: '/api/v2/running',
  operation: 'listRunning',
  summary: 'Tells what the jobs that run take now, and what they have written last.',
  answers: { 200: { description: 'At most 200 jobs, oldest first.', schema: runningSchema } },
  async handle(_call, context) {
    const running = runningIn(context);
    const leaders = new Set(running.flatMap(({ leader }) => leader ?? []));
    const use = await inTurns(sessionUse(leaders));
    const jobs = running.map(async ({ root, record, leader }) => {
      const sizes = context.jobs.outputSizes(root, record);
      const taken = leader === undefined ? undefined : use.get(leader);
      return {
        id: root,
        cpuSeconds: taken?.cpuSeconds ?? null,
        memoryBytes: taken?.memoryBytes ?? null,
        stdoutBytes: sizes?.stdout ?? null,
        stderrBytes: sizes?.stderr ?? null,
        lastLine: sizes === undefined ? null : await lastLine(context, root),
      };
    });
    return { status: 200, body: { jobs: await Promise.all(jobs) } };
  },
});

function runningIn({ database, jobs }: ApiContext) {
  const found = [];
  for (const root of database.in('state', 'active')) {
    const record = database.tree(root);
    if (record === undefined || !jobs.isActive(root)) continue;
    if (jobs.place(root) !== undefined) continue;
    found.push({ root, record, leader: jobs.leader(root, record) });
    if (found.length === MOST_JOBS) break;
  }
  return found;
}

const MOST_BYTES = 1000;

/** The last line with something in it; what `\r` has drawn over is not there any more. */
async function lastLine({ database, jobs }: ApiContext, root: string): Promise<string | null> {
  const record = database.tree(root);
  if (record === undefined) return null;
  const pieces = await jobs.output(root, record, { stream: 'stdout', part: undefined });
  const size = sizeOf(pieces);
  const chunks: Buffer[] = [];
  for await (const chunk of bytesOf(pieces, Math.max(0, size - MOST_BYTES), size))
    chunks.push(chunk);
  const lines = Buffer.concat(chunks)
    .toString('utf8')
    .split(/[\r\n]+/);
  return lines.findLast((line) => line.trim() !== '') ?? null;
}
