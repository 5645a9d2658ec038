import { jobViewer } from '../../lib/jobs/container/jobViewer.ts';
import { progressReader } from '../../lib/jobs/container/progressReader.ts';
import { summarizer } from '../../lib/jobs/summary.ts';
import { readShown } from '../../swarm/service/shownTask.ts';

/** Reads how far a job has come, from a record of any kind, as pman does. */
export const progressOf = progressReader(readShown);

/** What of a record is kept in memory, as pman keeps it. */
export const summaryOf = summarizer(jobViewer(readShown));
