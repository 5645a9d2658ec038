import { type PurlFailure, transferFailure } from '../purl/failure.ts';
import { askCopyThere, askRemoval } from '../purl/folders/askPfioh.ts';
import type { FolderWay } from '../purl/folders/folderWay.ts';
import { type FolderPull, isThere, pullFolder } from '../purl/folders/pullFolder.ts';
import { providePlace, pushFolder } from '../purl/folders/pushFolder.ts';
import { showFor, signsFor } from '../purl/folders/showFor.ts';
import { summaryLine, type TransferSummary } from '../purl/folders/transferLine.ts';
import { isLost } from '../purl/folders/untilDone.ts';
import { wayTo } from '../purl/wayTo.ts';

/** A pfioh, and who is told how files get on. */
export interface FilesPlace {
  readonly url: string;
  readonly token: string | undefined;
  readonly ca: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * What went wrong with files. This file is loaded from beside the program, whose classes are others there: so the
 * program goes by the name.
 */
export class FilesFailure extends Error {
  readonly isInterrupted: boolean;
  /** The same may work in a moment: what is copied has changed meanwhile. */
  readonly isPassing: boolean;
  /** The other side has gone: it may be elsewhere by now. */
  readonly isLost: boolean;

  constructor(failure: PurlFailure, isInterrupted: boolean) {
    const { message, kind } = failure;
    super(message);
    this.name = 'FilesFailure';
    this.isInterrupted = isInterrupted || kind === 'interrupted';
    this.isPassing = kind === 'changed';
    this.isLost = isLost(failure);
  }
}

type PullHow = Pick<FolderPull, 'wanted' | 'since'>;

/** What can be done with the files of a pfioh. Calls throw FilesFailure. */
export interface FilesWork {
  push(local: string, path: string, how?: { readonly mirror?: boolean }): Promise<TransferSummary>;
  pull(local: string, path: string, how?: PullHow): Promise<TransferSummary>;
  /** A copy of a folder below another one, on the other side. */
  copy(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Whether there is such a folder or file. */
  has(path: string): Promise<boolean>;
  /** Makes a folder. */
  make(path: string): Promise<void>;
  /** What a transfer came to, as it is printed. */
  told(summary: TransferSummary): string;
}

/** A pman that was started again has its pfioh on another port: that is asked for then. */
const MOST_TRIES = 2;

/** This file is loaded when files are moved: what it needs takes long to load. */
export function openFiles(place: FilesPlace): FilesWork {
  const { url, token, ca, json, quiet, env, signal } = place;
  const way: FolderWay = {
    ...wayTo({ url, token, cacert: ca, signal }),
    mostTries: MOST_TRIES,
    show: showFor(process.stderr, { json, quiet }, env),
  };
  const peer = { ...way, kind: 'own' } as const;
  const told = async <T>(verb: 'push' | 'pull', work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw new FilesFailure(transferFailure(error, verb), signal.aborted);
    } finally {
      way.show.end();
    }
  };
  return {
    push: (local, path, how) => told('push', pushFolder({ local, path, ...how }, way)),
    pull: (local, path, how) => told('pull', pullFolder({ local, path, ...how }, way)),
    copy: (from, to) => told('push', askCopyThere(peer, from, to)),
    remove: (path) => told('push', askRemoval(peer, path)),
    has: (path) => told('pull', isThere(path, way)),
    make: (path) => told('push', providePlace(path, way)),
    told: (summary) => (json ? JSON.stringify(summary) : summaryLine(summary, signsFor(env))),
  };
}
