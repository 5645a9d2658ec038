import type { JobReport } from '../../jobs/backend.ts';
import type { JsonValue } from '../../wire/json.ts';

/** Of a report what `status` tells. */
interface Standing extends Pick<JobReport, 'status'> {
  readonly combined: JobReport['combined'] | undefined;
  readonly note: JobReport['note'] | undefined;
}

/**
 * What `status` adds to `done` (protocol a.7, c, g): the state of each job in a word, and what containers have written. The
 * list of logs is empty when no job has any. A `note` says when an engine could not be asked; it is ours.
 */
export function statusAnswer(
  reports: readonly Standing[],
): readonly (readonly [string, JsonValue])[] {
  const hasLogs = reports.some(({ combined }) => combined !== undefined);
  const notes = [...new Set(reports.flatMap(({ note }) => note ?? []))];
  return [
    ['l_status', reports.map(({ status }) => status)],
    ['l_logs', hasLogs ? reports.map(({ combined }) => combined ?? '') : []],
    ...(notes.length > 0 ? [['note', notes.join('; ')] as const] : []),
  ];
}
