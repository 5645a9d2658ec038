import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, systemErrorCode } from '../../lib/errors.ts';
import type { PartEnd, PartStart, SpoolRequest } from './journal.ts';
import type { RunnerEvent } from './runnerEvent.ts';
import type { RunningJob } from './runningJob.ts';
import { placeNow, writeConfirmedLine, writeLine } from './spool.ts';

/** How long to wait before a refused line is written again, in milliseconds. */
const RETRY_MS = 500;

/** Writes down how each part started and ended, and tells it then: what is told is on the disk. */
export class RunnerJournal {
  readonly #tell: (event: RunnerEvent) => void;

  constructor(tell: (event: RunnerEvent) => void) {
    this.#tell = tell;
  }

  async started({ folder, request }: RunningJob, part: number, start: PartStart): Promise<void> {
    await persist(folder, { part, start }, request);
    this.#tell({ kind: 'start', folder, part, start });
  }

  async ended({ folder, request }: RunningJob, part: number, end: PartEnd): Promise<void> {
    await persist(folder, { part, end }, request);
    this.#tell({ kind: 'end', folder, part, end });
  }

  /** The end of a part is in the journal already: whoever wrote it may have told nobody. */
  endedBefore({ folder }: RunningJob, part: number, end: PartEnd): void {
    this.#tell({ kind: 'end', folder, part, end });
  }

  /** No (further) part of the job is to run. */
  async dropped({ folder, request }: RunningJob, reason: string): Promise<void> {
    await persist(folder, { dropped: reason }, request);
  }
}

/** Writes a line, again and again while the disk refuses it: how a part ended is not to be had twice. */
async function persist(
  folder: string,
  line: Parameters<typeof writeLine>[1],
  { fsync = false }: SpoolRequest,
): Promise<void> {
  for (;;) {
    try {
      const place = placeNow(folder);
      if (fsync) await writeConfirmedLine(place, line);
      else writeLine(place, line, false);
      return;
    } catch (error) {
      // The spool folder was removed: nobody wants to know any more.
      if (systemErrorCode(error) === 'ENOENT') return;
      console.error(`${folder}: ${messageOf(error)}`);
      await sleep(RETRY_MS);
    }
  }
}
