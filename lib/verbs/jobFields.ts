import type { Job } from '../client/index.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { fieldLine } from '../terminal/table.ts';
import { nameOf, shortId, stateText, tookMs } from './jobText.ts';
import type { Session } from './session.ts';

/** A job for programs: a name, a tab and a value a line; times in UTC, lengths in seconds, sizes in bytes. */
export async function jobFields({ client }: Session, job: Job): Promise<readonly string[]> {
  const [out, err] = await Promise.all([
    client.outputSize(job),
    client.outputSize(job, { stream: 'stderr' }),
  ]);
  const took = tookMs(job, Date.now());
  const { usage } = job;
  const fields: readonly (readonly [string, string | number | null | undefined])[] = [
    ['id', job.id],
    ['short', shortId(job.id)],
    ['name', nameOf(job)],
    ['state', stateText(job)],
    ['exitCode', job.exitCode],
    ['reason', job.reason?.message],
    ['command', job.command],
    ['accepted', job.acceptedAt],
    ['started', job.startedAt],
    ['ended', job.endedAt],
    ['seconds', took === undefined ? null : Math.round(took) / 1000],
    ['backend', job.backend],
    ['image', job.image],
    ['cwd', job.cwd],
    ['user', job.auid],
    ['rerunOf', job.rerunOf],
    ['userSeconds', usage?.userSeconds],
    ['systemSeconds', usage?.systemSeconds],
    ['peakMemoryBytes', usage?.peakMemoryBytes],
    ['stdoutBytes', out],
    ['stderrBytes', err],
  ];
  return fields.flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [fieldLine([name, oneLine(String(value))])],
  );
}
