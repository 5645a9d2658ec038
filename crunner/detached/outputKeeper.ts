import type { StreamName } from './outputLog.ts';

/** What a part writes to, until it has started. */
export interface PartOutputs {
  /** Descriptors of this process that become the part's stdout and stderr. */
  readonly out: number;
  readonly err: number;
  /** As /proc names them. */
  readonly pipes: readonly string[];
  /** Closes them here: the part has them, or could not be started. */
  release(): void;
}

export interface OutputOptions {
  /** How much of each stream is kept, in bytes; default: all. */
  readonly maxBytes?: number | undefined;
  /** Who else may open the streams by their names (`/dev/stdout`); default: this user. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Sees to it that what parts write gets into their files, `<part>.out` and `<part>.err`, in order and to the last byte. The
 * parts write to pipes: a file would be cut when a part opens `/dev/stdout` by name (docs/decisions/0016). Whoever reads
 * these pipes outlives this process. A part is named by the path that the names of its files begin with.
 */
export interface OutputKeeper {
  /**
   * Makes the pipes of a part that is about to start; from now on they are read.
   * @throws the system's error when it has no more files or processes
   */
  open(part: string, options: OutputOptions): PartOutputs | Promise<PartOutputs>;
  /**
   * Resolves when all that a part has written by now is in its files, to whether it is known to have written nothing. Never
   * rejects.
   */
  settle(part: string): Promise<boolean>;
  /** A part goes on that another process has started: sees to it that somebody reads its pipes. */
  adopt(part: string, pid: number, options: OutputOptions): Promise<void>;
  /** What `/proc/<pid>/fd/1` of a part's processes leads to; none where that is not known. */
  pipesOf(part: string): Promise<readonly string[]>;
}

/** Called when a stream of a part has reached its limit. */
export type OnFull = (part: string, stream: StreamName) => void;
