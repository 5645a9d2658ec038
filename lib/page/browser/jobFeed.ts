import type { Job, JobEvent, PmanClient } from '../../client/index.ts';
import { isCalled } from './pagePlace.ts';
import { mayMoveQueue } from './queuePlaces.ts';

export interface JobFeedOptions {
  readonly client: Pick<PmanClient, 'job'>;
  /** As it stands in an address: the whole id, or the beginning of its uuid. */
  readonly id: string;
  /** Hears what happens to jobs. @returns what ends that */
  readonly hear: (listener: (event: JobEvent) => void) => () => void;
  readonly onJob: (job: Job) => void;
  readonly onError: (error: unknown) => void;
}

/** How long what has happened to a job is gathered until it is asked for, in milliseconds. */
const SOON_MS = 100;
/** The same for what has happened to others before it in the queue: there may be many of them. */
const QUEUE_MS = 1000;

/**
 * Tells how a job stands, now and after each event of it. There is one request at a time, so that no answer overtakes a newer
 * one; what happens while it is on its way is asked for behind it.
 * @returns what ends that
 */
export function followJob({ client, id, hear, onJob, onError }: JobFeedOptions): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let queue: ReturnType<typeof setTimeout> | undefined;
  let whole: string | undefined;
  let waits = false;
  let isAsking = false;
  let isOld = false;
  const ask = async () => {
    timer = undefined;
    clearTimeout(queue);
    queue = undefined;
    isAsking = true;
    isOld = false;
    try {
      const job = await client.job(id, { signal });
      whole = job.id;
      waits = job.state === 'waiting';
      if (!signal.aborted) onJob(job);
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    isAsking = false;
    if (isOld) soon();
  };
  const soon = () => {
    if (isAsking) isOld = true;
    else if (!signal.aborted) timer ??= setTimeout(() => void ask(), SOON_MS);
  };
  const forget = hear((event) => {
    if (event.id === whole || isCalled(event.id, id)) soon();
    else if (waits && mayMoveQueue(event)) queue ??= setTimeout(soon, QUEUE_MS);
  });
  void ask();
  return () => {
    stop.abort();
    clearTimeout(timer);
    clearTimeout(queue);
    forget();
  };
}
