import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { messageOf, systemErrorCode } from '../errors.ts';
import { replaceFile } from '../host/atomicFile.ts';
import type { JobState, Reason } from '../jobs/states.ts';
import type { Logger } from '../log.ts';
import type { JobSummary } from '../records/index/jobSummary.ts';
import type { RecordObserver } from '../records/recordObserver.ts';
import type { NewEvent } from './event.ts';
import type { EventLog } from './eventLog.ts';

/** What has been told of a job. */
const toldSchema = z.object({
  started: z.int().min(0),
  ended: z.int().min(0),
  done: z.boolean(),
});
type Told = z.infer<typeof toldSchema>;

const checkpointSchema = z.object({
  seq: z.int().min(0),
  jobs: z.record(z.string(), toldSchema),
});

/** How a job stands. */
export interface SeenJob extends JobNames {
  readonly state: JobState;
  /** Why it does not go on, or did not succeed. */
  readonly reason: Reason | null;
  readonly isDone: boolean;
  /** Its place among the jobs that wait for each other. */
  readonly place?: number;
  /** How many of its parts have started. */
  readonly started: number;
  /** Of each part that has ended: exit code, negative signal number, or null when unknown. */
  readonly exitCodes: readonly (number | null)[];
}

/** What clients call a job. */
export interface JobNames {
  readonly jid?: string;
  readonly auid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** What runs it, where it is not this host. */
  readonly backend?: 'ssh' | 'container';
}

/** Who has given an order, where it is known: the name of a token. */
export interface KillOrdered {
  readonly signal: string;
  readonly cause: string;
  readonly by: string | null;
}

export interface JobChangesOptions {
  readonly events: EventLog;
  /** How a job stands now, by its record; undefined when there is none. */
  readonly look: (root: string) => SeenJob | undefined;
  /** Where it is written down from time to time what has been told; it can be lost. */
  readonly checkpointFile: string;
  readonly log: Logger;
}

/** So many events later the checkpoint is written again, or twice as many as it has jobs: a start reads as many. */
const CHECKPOINT_EVENTS = 10_000;

/**
 * Makes events of the changes of records: compares how a job stands with what has been told of it. So it does not matter how
 * often, or in which process, it is called: what has been told is not told again, also when pman was killed in between.
 */
export class JobChanges implements RecordObserver {
  readonly #options: JobChangesOptions;
  readonly #told = new Map<string, Told>();
  readonly #touched = new Set<string>();
  #scheduled: NodeJS.Immediate | undefined;
  #checkpointAt = 0;
  #hasComplained = false;

  /** Finds out what has been told, from the checkpoint and the events behind it. */
  constructor(options: JobChangesOptions) {
    this.#options = options;
    const { events } = options;
    const { seq, jobs } = this.#readCheckpoint();
    for (const [root, told] of Object.entries(jobs)) this.#told.set(root, told);
    this.#checkpointAt = Math.min(seq, events.newest);
    let after = Math.max(this.#checkpointAt, events.oldest - 1);
    for (;;) {
      const batch = events.readAfter(after);
      const last = batch.at(-1);
      if (last === undefined) return;
      for (const { event } of batch) this.#learn(event);
      after = last.event.seq;
    }
  }

  /** A record has changed, or may have: it is looked at when this turn of the event loop is over. */
  changed(root: string): void {
    this.#touched.add(root);
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  /** Tells now what there is to tell. What the disk refuses stays to be told: with the next change, or by the next start. */
  flush(): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (!this.#tell(() => [...this.#touched].flatMap((root) => this.#newsOf(root)))) return;
    this.#touched.clear();
    const since = this.#options.events.newest - this.#checkpointAt;
    if (since > Math.max(CHECKPOINT_EVENTS, 2 * this.#told.size)) this.checkpoint();
  }

  /** The record of a job that has ended is on the disk, and no later start takes the job up: all of it has been told. */
  filed(root: string): void {
    if (this.#touched.has(root)) this.flush();
    this.#told.delete(root);
  }

  /** What is not told of a job by now could not be told any more: who removes it at once must not hide how it ended. */
  removing(root: string): void {
    if (this.#touched.has(root)) this.flush();
  }

  /** The job and its record are gone. */
  removed(root: string, summary: JobSummary): void {
    this.#touched.delete(root);
    this.#told.delete(root);
    const { cmd: command } = summary;
    const data = command === undefined ? {} : { data: { command } };
    this.#tell(() => [{ type: 'removed', id: root, ...namesIn(summary), ...data }]);
  }

  /** An order to end a job is being given. */
  killOrdered(root: string, { signal, cause, by }: KillOrdered): void {
    // What there was before it comes before it.
    this.flush();
    const data = { signal, cause, by };
    const job = this.#options.look(root);
    if (job !== undefined) {
      this.#tell(() => [{ type: 'kill_ordered', id: root, ...namesOf(job), data }]);
    }
  }

  /** Writes down what has been told, so that the next start need not read all events. */
  checkpoint(): void {
    const { checkpointFile, events, log } = this.#options;
    // Nothing has happened since, or ever.
    if (events.newest === this.#checkpointAt) return;
    const jobs = Object.fromEntries(this.#told);
    try {
      replaceFile(checkpointFile, JSON.stringify({ seq: events.newest, jobs }));
      this.#checkpointAt = events.newest;
    } catch (error) {
      log.warn('the checkpoint of the events cannot be written', { reason: messageOf(error) });
    }
  }

  /**
   * Every job that is under way has been taken up by this process: what else was told of may be forgotten, for nobody will
   * change it.
   */
  settle(isUnderWay: (root: string) => boolean): void {
    // Those that were taken up and had ended are looked at first, or they would be told anew.
    this.flush();
    for (const [root, { done }] of this.#told)
      if (done && !isUnderWay(root)) this.#told.delete(root);
  }

  /** Tells no more: what has not been told is told by the next start. */
  abandon(): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#touched.clear();
  }

  #newsOf(root: string): readonly NewEvent[] {
    const job = this.#options.look(root);
    if (job === undefined) return [];
    const told = this.#told.get(root);
    const to = { id: root, ...namesOf(job) };
    const news: NewEvent[] = told === undefined ? [{ type: 'accepted', ...to }] : [];
    if (told === undefined && job.place !== undefined) {
      news.push({ type: 'waiting', ...to, data: { place: job.place } });
    }
    const { started = 0, ended = 0, done = false } = told ?? {};
    const { exitCodes: codes } = job;
    for (let part = 0; part < job.started; part += 1) {
      if (part >= started) news.push({ type: 'started', ...to, data: { part } });
      if (part >= ended && part < codes.length) {
        news.push({ type: 'part_ended', ...to, data: { part, exitCode: codes[part] ?? null } });
      }
    }
    if (job.isDone && !done) {
      news.push({
        type: 'ended',
        ...to,
        data: { state: job.state, reason: job.reason, exitCodes: codes },
      });
    }
    return news;
  }

  #tell(newsNow: () => readonly NewEvent[]): boolean {
    let news: readonly NewEvent[];
    try {
      news = newsNow();
      this.#options.events.append(news);
    } catch (error) {
      if (!this.#hasComplained) {
        this.#options.log.warn('events cannot be written', { reason: messageOf(error) });
      }
      this.#hasComplained = true;
      return false;
    }
    this.#hasComplained = false;
    for (const event of news) this.#learn(event);
    return true;
  }

  #learn({ type, id }: NewEvent): void {
    const { started, ended, done } = this.#told.get(id) ?? { started: 0, ended: 0, done: false };
    switch (type) {
      case 'accepted':
        this.#told.set(id, { started, ended, done });
        return;
      case 'started':
        this.#told.set(id, { started: started + 1, ended, done });
        return;
      case 'part_ended':
        this.#told.set(id, { started, ended: ended + 1, done });
        return;
      case 'ended':
        this.#told.set(id, { started, ended, done: true });
        return;
      case 'removed':
        this.#told.delete(id);
        return;
      case 'waiting':
      case 'output':
      case 'kill_ordered':
        return;
    }
  }

  #readCheckpoint(): z.infer<typeof checkpointSchema> {
    try {
      return checkpointSchema.parse(JSON.parse(readFileSync(this.#options.checkpointFile, 'utf8')));
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') {
        this.#options.log.warn('the checkpoint of the events is not readable', {
          reason: messageOf(error),
        });
      }
      return { seq: 0, jobs: {} };
    }
  }
}

function namesOf({ jid, auid, labels, backend }: JobNames): JobNames {
  return {
    ...(jid === undefined ? {} : { jid }),
    ...(auid === undefined ? {} : { auid }),
    ...(labels === undefined ? {} : { labels }),
    ...(backend === undefined ? {} : { backend }),
  };
}

/** What clients call a job, by its summary. */
export function namesIn({ jid, auid, labels, runsOn }: JobSummary): JobNames {
  return {
    ...(typeof jid === 'string' ? { jid } : {}),
    ...(typeof auid === 'string' ? { auid } : {}),
    ...(labels === undefined ? {} : { labels }),
    ...(runsOn === undefined ? {} : { backend: runsOn }),
  };
}
