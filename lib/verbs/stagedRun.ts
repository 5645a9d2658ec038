import { createHash, randomBytes } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, isAbsolute, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Job, NewJob } from '../client/index.ts';
import { UsageError } from '../errors.ts';
import { requireWorkingFolder } from '../foreignBytes.ts';
import { fitsPattern } from '../jobs/filePatterns.ts';
import { CannotError } from './failures.ts';
import { flagValue, type Words } from './flagWords.ts';
import type { Session } from './session.ts';
import { isFilesFailure, type Store, type StoreOptions, withStore } from './storePlace.ts';
import { PMAN_FAILED } from './verbExit.ts';

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
  const local = flagValue(words, 'push');
  const patterns = words.values.get('pull') ?? [];
  checkFlags(words);
  if (![local, flagValue(words, 'into')].every((path) => isAbsolute(path ?? '.'))) {
    requireWorkingFolder();
  }
  const source = local === undefined ? undefined : sourceOf(local);
  const place = `runs/${randomBytes(6).toString('hex')}`;
  const name = source === undefined ? 'work' : basename(source);
  const path = `${place}/${name}`;
  const folder = await withStore(session, options, async (store) => {
    if (source === undefined) await store.files.make(path);
    else await copyOf(source, place, name, store);
    return store.folder;
  });
  const at = `${folder}/${path}`;
  const into = flagValue(words, 'into') ?? source ?? '.';
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
    async end(job, code) {
      const { state } = await session.patient.job(job);
      const { err } = session.streams;
      if (state === 'waiting' || state === 'starting' || state === 'running') {
        err.line(`  its files: pman pull ${path} FOLDER`);
        return code;
      }
      try {
        await withStore(session, options, async ({ files }) => {
          if (patterns.length > 0) {
            const fits = (file: string) =>
              patterns.some((pattern) => fitsPattern(file.split('/'), pattern));
            const summary = await files.pull(into, path, fits);
            if (!options.quiet) err.line(files.told(summary));
          }
          await files.remove(place);
        });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        throw new CannotError(
          `the job has ended with ${code}; its files are still on the server: ${error.message}`,
          [`pman pull ${path} FOLDER`],
          PMAN_FAILED,
        );
      }
      return code;
    },
  };
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

/** @throws CannotError when it is no folder */
function sourceOf(local: string): string {
  try {
    const real = realpathSync.native(resolve(local));
    if (statSync(real).isDirectory() && real !== '/') return real;
  } catch {
    // It is told below.
  }
  throw new CannotError(`--push ${local}: no such folder`, [], PMAN_FAILED);
}

const MOST_TRIES = 20;
const PAUSE_MS = 250;

/** The folder as it is here, kept there for the next time, and a copy of it for one job. */
async function copyOf(source: string, place: string, name: string, { files }: Store) {
  const whose = [hostname(), process.getuid?.(), source].join('\n');
  const kept = `staged/${createHash('sha256').update(whose).digest('hex').slice(0, 16)}/${name}`;
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
