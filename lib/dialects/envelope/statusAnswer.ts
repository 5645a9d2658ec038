import type { JobStatus } from '../../jobs/progress.ts';
import type { EnvelopeDialect } from './dialect.ts';

/**
 * A client of the original asks on until it reads a word with `finished` in it, and takes `finishedWithError` for a failure
 * (protocol c, CUBE's charm.py): that is how it learns of a job whose end nobody could see.
 */
const wordOf = (status: JobStatus) => (status === 'lost' ? 'finishedWithError' : status);

/**
 * As pman answers for jobs of the host and of a swarm (protocol a.7, c, g): the state of each job in a word, and what containers have
 * written. The list of logs is empty when no job has any. A `note` says when an engine could not be asked; it is ours.
 */
export const plainDialect: EnvelopeDialect = {
  status(reports) {
    const hasLogs = reports.some(({ combined }) => combined !== undefined);
    const notes = [...new Set(reports.flatMap(({ note }) => note ?? []))];
    return {
      status: reports.length > 0,
      members: [
        ['l_status', reports.map(({ status }) => wordOf(status))],
        ['l_logs', hasLogs ? reports.map(({ combined }) => combined ?? '') : []],
        ...(notes.length > 0 ? [['note', notes.join('; ')] as const] : []),
      ],
    };
  },
  nothingDeleted: undefined,
  deleted: true,
  endsToDelete: false,
};
