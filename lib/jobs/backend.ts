import type { KillRequest } from '../../crunner/job/killRequest.ts';
import type { Soon } from '../concurrency/soon.ts';
import type { NewJob } from '../records/record.ts';
import type { TreeNode } from '../tree/node.ts';
import type { JsonObject, JsonValue } from '../wire/json.ts';
import type { Capabilities } from './capabilities.ts';
import type { OutputPiece, PartOutputs, TimedPiece } from './outputPieces.ts';
import type { JobStatus } from './progress.ts';
import type { LimitMeta } from './runLimits.ts';

/** A job as a client asks for it. */
export interface JobRequest extends NewJob {
  readonly container?: JsonObject;
  /** Another host that is to run it: `user@host[:port]`. */
  readonly ssh?: string;
  /** Whether one shell is to run the line as a whole. */
  readonly shell?: boolean;
  /** The members of its meta that limit it. */
  readonly limits: LimitMeta;
  /** What it is to read, where that did not come as a text: `meta.stdin` holds its digest then. */
  readonly input?: Buffer | undefined;
}

/**
 * What runs jobs of one kind: this host, or an engine of containers. `Jobs` finds the one that a job belongs to; nobody else
 * needs to know which it is.
 */
export interface JobBackend {
  /**
   * Accepts a job. When it returns, or what it returns resolves, the job is on the disk and will run. A job with the key of an earlier one is that one,
   * when it asks for the same.
   * @returns the name of its job root
   * @throws PmanError bad_request, conflict, unavailable or storage: the job was not accepted
   */
  submit(request: JobRequest): Soon<string>;
  /**
   * Ends a job; says whether there was anything to end. Its record stays and says who ended it. When it resolves, the order
   * is on the disk.
   */
  kill(root: string, order: KillRequest): Promise<boolean>;
  /**
   * Sends a signal to a job that runs, which goes on; says whether there was anything to get it.
   * @throws BadRequestError where this back-end cannot
   */
  pass(root: string, signal: NodeJS.Signals): Promise<boolean>;
  /** Resolves when the job has ended; at once when it has, or is none of this back-end's. */
  ended(root: string): Promise<void>;
  /** Whether a job waits or runs. */
  isActive(root: string): boolean;
  /** The place in the queue of a job that waits for others, from 1 on. */
  place(root: string): number | undefined;
  /** Whether an active job of which nothing has started has had its turn. */
  isStarting(root: string): boolean;
  /** How a job stands. */
  report(root: string, record: TreeNode): Soon<JobReport>;
  /** Whether a client may name this part, from 0 on: it is there, or may come yet. */
  hasPart(root: string, record: TreeNode, part: number): boolean;
  /** The pieces that make up an output now. */
  output(root: string, record: TreeNode, asked: OutputAsked): Promise<readonly OutputPiece[]>;
  /** How much a job that runs has written, in bytes; undefined where that is not known. */
  outputSizes(
    root: string,
    record: TreeNode,
  ): { readonly stdout: number; readonly stderr: number } | undefined;
  /** The process of this host that leads the session of the part that runs; undefined where there is none. */
  leader(root: string, record: TreeNode): number | undefined;
  /** What a part has written to both streams, in the order in which it came in. */
  timedOutput(root: string, part: number): readonly TimedPiece[];
  /** Where the outputs of each part are that has started. */
  partOutputs(root: string, record: TreeNode): Promise<readonly PartOutputs[]>;
  /** An output from its beginning, and what comes, until the job has ended or the signal is given. */
  follow(
    root: string,
    record: TreeNode,
    asked: OutputAsked,
    signal: AbortSignal,
  ): AsyncIterable<Buffer>;
  /** The folder that a job has worked in, where others may be given files of it; undefined: they may not. */
  workFolder(record: TreeNode): WorkFolder | undefined;
  readonly capabilities: readonly Capabilities[];
  /** Whether it could run a job now. Whoever asks waits some seconds at most. */
  readiness(): Promise<BackendReadiness>;
  /** What a job was given to read; undefined when that is not kept, or was nothing. */
  input(root: string): Buffer | undefined;
  /** Removes what is kept beside the record of a job that has ended. */
  forget(root: string): void;
  /** Ends every job, and waits until each has ended. */
  endAll(order: KillRequest): Promise<void>;
  readonly counts: JobCounts;
}

/** Whether a back-end could run a job; `absent`: there is nothing where it is looked for. */
export type BackendReadiness =
  | { readonly state: 'ready' }
  | { readonly state: 'absent' | 'failing'; readonly problem: string; readonly hint?: string };

/** Where a job has worked. */
export interface WorkFolder {
  readonly folder: string;
  /** Only files of this user may be given to others; undefined: all that pman can read. */
  readonly owner: number | undefined;
}

export interface JobCounts {
  readonly running: number;
  readonly waiting: number;
}

export interface OutputAsked {
  readonly stream: 'stdout' | 'stderr';
  /** One part; all of them in order when undefined. */
  readonly part: number | undefined;
  /** How many bytes at the beginning are left out, of what is followed. */
  readonly from?: number;
}

/** How a job stands, whatever runs it. Dialects put it into the words of their clients. */
export interface JobReport {
  readonly status: JobStatus;
  /** All that it has written, where its two streams cannot be told apart. */
  readonly combined?: string;
  /** Whose the pieces of `combined` are, in their order, and how many characters each has; where that is known. */
  readonly outputs?: readonly { readonly label: string; readonly length: number }[];
  /** How its engine shows it, in words of its own. */
  readonly shown?: JsonObject;
  /** Why this may not be the newest, or what it waits for. */
  readonly note?: string;
  /** Why none of it ran, or no more of it. */
  readonly jobCause?: JsonValue;
  /** Its parts with their outputs; reads these when it is called. */
  parts(): readonly PartReport[];
}

export interface PartReport {
  readonly cmd: JsonValue;
  /** Exit code, or negative signal number; null while it runs, and when nobody knows. */
  readonly exitCode: number | null;
  readonly stdout: JsonValue;
  readonly stderr: JsonValue;
  /** Why it ended, when it was not by itself. */
  readonly cause: JsonValue;
}
