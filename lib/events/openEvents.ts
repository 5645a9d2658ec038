import { join } from 'node:path';
import { messageOf, PmanError } from '../errors.ts';
import type { ViewJob } from '../jobs/jobView.ts';
import { reasonOf, stateOf } from '../jobs/states.ts';
import type { Logger } from '../log.ts';
import type { JobDatabase } from '../records/database.ts';
import { EventLog } from './eventLog.ts';
import { JobChanges, namesIn, type SeenJob } from './jobChanges.ts';

export interface OpenEventsOptions {
  readonly database: JobDatabase;
  readonly viewOf: ViewJob;
  /** The place of a job that waits for others; undefined for another one. */
  readonly placeOf: (root: string) => number | undefined;
  /** The folder of ours beside the database. */
  readonly workFolder: string;
  /** How long events are kept, and how much of them. */
  readonly kept: { readonly ageMs: number; readonly bytes: number };
  readonly log: Logger;
}

/**
 * Opens the log of events, and has it told of every change of a record from now on.
 * @param releases is given what ends it
 * @throws PmanError storage when the log cannot be opened
 */
export function openEvents(
  { database, viewOf, placeOf, workFolder, kept, log: logger }: OpenEventsOptions,
  releases: Array<() => void | Promise<void>>,
): { readonly log: EventLog; readonly changes: JobChanges } {
  const folder = join(workFolder, 'events');
  try {
    const log = new EventLog({ folder, maxBytes: kept.bytes, maxAgeMs: kept.ageMs });
    const changes = new JobChanges({
      events: log,
      look: (root) => seen({ database, viewOf, placeOf }, root),
      checkpointFile: join(workFolder, 'events.told.json'),
      log: logger.child({ component: 'events' }),
    });
    database.observe(changes);
    releases.push(() => {
      changes.flush();
      changes.checkpoint();
      log.close();
    });
    return { log, changes };
  } catch (error) {
    throw new PmanError('storage', `cannot open the events in ${folder}: ${messageOf(error)}`, {
      hint: 'remove that folder to begin anew: only the news of earlier jobs are in it',
      cause: error,
    });
  }
}

function seen(
  { database, viewOf, placeOf }: Pick<OpenEventsOptions, 'database' | 'viewOf' | 'placeOf'>,
  root: string,
): SeenJob | undefined {
  const record = database.tree(root);
  if (record === undefined) return undefined;
  const view = viewOf(record);
  const { isDone, parts } = view;
  const state = stateOf(view);
  const place = placeOf(root);
  return {
    ...namesIn(database.summary(root) ?? {}),
    ...(place === undefined ? {} : { place }),
    ...{ state, isDone, reason: reasonOf(view, state) },
    started: parts.length,
    exitCodes: parts.filter(({ hasEnded }) => hasEnded).map(({ exitCode }) => exitCode),
  };
}
