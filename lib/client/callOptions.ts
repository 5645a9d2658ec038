import type { Job } from '../dialects/v2/shapes.ts';

export type OutputName = 'stdout' | 'stderr';

/** A job, or its id: the whole of it, the beginning of its uuid, or `_N`. */
export type JobName = string | Pick<Job, 'id'>;

/** Every call can be broken off: it then throws the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface EventsOptions extends CallOptions {
  /** Told whenever something has come of the server: an event, or a sign of life, of which it gives one every 15 seconds. */
  readonly onAlive?: () => void;
}

export interface RunOptions extends CallOptions {
  /**
   * Names the job: with the same key no second one is made, however often it is sent, also by another process. Default: a
   * key of this call, so that it can be sent again when no answer comes.
   */
  readonly key?: string;
  /** What the job reads as its standard input: bytes of any kind. */
  readonly input?: Uint8Array;
}

export interface FilesOptions extends CallOptions {
  /** Those behind this path alone. */
  readonly after?: string;
}

export interface OutputOptions extends CallOptions {
  /** Default: `stdout`. */
  readonly stream?: OutputName;
  /** One part of the job, from 0 on; default: all of it. */
  readonly part?: number;
  /** The first byte that is wanted; default: 0. */
  readonly from?: number;
}

export interface FollowOptions extends CallOptions {
  /** Default: both, as they come. The order of what is in different outputs is not known. */
  readonly stream?: OutputName;
  /** One part of the job, from 0 on; default: all of it. */
  readonly part?: number;
  /** How many bytes of the output are known already; with a `stream` only. */
  readonly from?: number;
}

export interface PiecesOptions extends CallOptions {
  /** One part of the job, from 0 on; default: all of it. */
  readonly part?: number;
  /** Whether it goes on until the job has ended; default: it ends with what there is. */
  readonly follow?: boolean;
  /** The `id` of the last piece that is known. */
  readonly after?: string;
  /** Told when the connection is lost, and after how many milliseconds it is tried again. */
  readonly onLost?: (pauseMs: number) => void;
}
