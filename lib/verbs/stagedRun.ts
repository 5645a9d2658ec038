import { createHash, randomBytes } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, isAbsolute, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Job, NewJob } from '../client/index.ts';
import { UsageError } from '../errors.ts';
import { requireWorkingFolder } from '../foreignBytes.ts';
import { CannotError } from './failures.ts';
import { flagValue, type Words } from './flagWords.ts';
import { standsNow } from './leaveJobs.ts';
import { pullPatterns } from './pullPatterns.ts';
import type { Session } from './session.ts';
import { isFilesFailure, type Store, type StoreOptions, withStore } from './storePlace.ts';
import { INTERRUPTED, PMAN_FAILED } from './verbExit.ts';

/** Where a container finds the folder. */
const IN_CONTAINER = '/work';

/** A folder of the server in which one job runs. */
export interface StagedRun {
  /** The job, to run there. */
  members(job: NewJob): NewJob;
  /** Whether the end of the job has to be waited for. */
  readonly isFollowed: boolean;
  /** Fetches what was asked for, and removes the folder; tells what is left where the job goes on. */
  end(job: Job, code: number): Promise<number>;
  /** How to fetch its files. */
  readonly fetch: string;
  /** Removes the folder of a job that was not accepted. */
  drop(): Promise<void>;
}

/**
 * Brings the folder of --push to the server, only what it has not got, and makes the copy of it that one job runs in.
 * @throws UsageError, CannotError, PmanClientError, Interrupted
 */
export async function stageRun(
  session: Session,
  words: Words,
  options: StoreOptions,
): Promise<StagedRun> {
  const startedMs = Date.now();
  const local = flagValue(words, 'push');
  const patterns = words.values.get('pull') ?? [];
  checkFlags(words);
  if (![local, flagValue(words, 'into')].every((path) => isAbsolute(path ?? '.'))) {
    requireWorkingFolder();
  }
  const wanted = pullPatterns(patterns);
  const source = local === undefined ? undefined : sourceOf(local);
  const place = `runs/${randomBytes(6).toString('hex')}`;
  const name = source === undefined ? 'work' : basename(source);
  const path = `${place}/${name}`;
  const kept = source === undefined ? undefined : keptPlace(source, name);
  const folder = await withStore(session, options, async (store) => {
    if (source === undefined || kept === undefined) await store.files.make(path);
    else await copyOf({ source, kept, place }, store);
    return store.folder;
  });
  const at = `${folder}/${path}`;
  const fetch = `pman pull ${path} FOLDER`;
  const into = flagValue(words, 'into') ?? source ?? '.';
  const isBack = source !== undefined && realPathOf(into) === source;
  const since = { ms: startedMs, origin: isBack ? kept : undefined, found: new Map() };
  return {
    members: (job) =>
      flagValue(words, 'image') === undefined
        ? { ...job, cwd: at }
        : {
            ...job,
            cwd: IN_CONTAINER,
            mounts: [...(job.mounts ?? []), { source: at, target: IN_CONTAINER, readOnly: false }],
          },
    // What it fails with is not what matters then.
    drop: () =>
      withStore(session, options, ({ files }) => files.remove(place)).catch(() => undefined),
    isFollowed: patterns.length > 0,
    fetch,
    async end(job, code) {
      const { err } = session.streams;
      if (!(await isOver(session, job, code))) {
        err.line(`  its files: ${fetch}`);
        return code;
      }
      // What its files are wanted for may depend on how it has ended: that is told first.
      const failed = (why: string) =>
        new CannotError(
          `the job has ended with ${code}; its files are still on the server: ${why}`,
          [fetch],
          code === 0 ? PMAN_FAILED : code,
        );
      let missed: readonly string[] = [];
      try {
        await withStore(session, options, async ({ files }) => {
          if (patterns.length > 0) {
            const summary = await files.pull(into, path, { wanted: wanted.fits, since });
            missed = wanted.missed();
            if (!options.quiet) err.line(files.told(summary));
          }
          if (missed.length === 0) await files.remove(place);
        });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        throw failed(error.message);
      }
      if (missed.length > 0) {
        const named = missed.map((pattern) => JSON.stringify(pattern)).join(', ');
        throw failed(`nothing in its folder fits --pull ${named}`);
      }
      return code;
    },
  };
}

/** Whether the job has ended. For somebody who goes, a server that is away is not waited for. */
async function isOver(session: Session, job: Job, code: number): Promise<boolean> {
  const isLeft = code === INTERRUPTED;
  const { state } = isLeft
    ? ((await standsNow(session, job)) ?? job)
    : await session.patient.job(job);
  return state !== 'waiting' && state !== 'starting' && state !== 'running';
}

/** Undefined for what is not there. */
function realPathOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

function checkFlags(words: Words): void {
  const other = ['cwd', 'ssh', 'key'].find((name) => flagValue(words, name) !== undefined);
  if (other !== undefined) {
    throw new UsageError(
      `--${other} and --push or --pull: the job runs in a folder that is its own`,
    );
  }
  if ((words.values.get('pull') ?? []).length === 0 && flagValue(words, 'into') !== undefined) {
    throw new UsageError('--into says where --pull puts things: name them');
  }
}

const STATS = { throwIfNoEntry: false } as const;

/** @throws CannotError when it is no folder */
function sourceOf(local: string): string {
  const real = realPathOf(resolve(local));
  if (real !== undefined && real !== '/' && statSync(real, STATS)?.isDirectory()) return real;
  throw new CannotError(`--push ${local}: no such folder`, [], PMAN_FAILED);
}

const MOST_TRIES = 20;
const PAUSE_MS = 250;

/** Where the folder as it was here is kept for the next time. */
function keptPlace(source: string, name: string): string {
  const whose = [hostname(), process.getuid?.(), source].join('\n');
  return `staged/${createHash('sha256').update(whose).digest('hex').slice(0, 16)}/${name}`;
}

interface Copying {
  readonly source: string;
  readonly kept: string;
  readonly place: string;
}

/** The folder as it is here, kept there, and a copy of it for one job. */
async function copyOf({ source, kept, place }: Copying, { files }: Store) {
  for (let tries = 1; ; tries += 1) {
    try {
      await files.push(source, kept, { mirror: true });
      return await files.copy(kept, place);
    } catch (error) {
      // The same folder is brought for another job just now. Of several, each waits for another time.
      if (!isFilesFailure(error) || !error.isPassing || tries === MOST_TRIES) throw error;
      await pause(PAUSE_MS * (1 + 2 * Math.random()));
    }
  }
}
