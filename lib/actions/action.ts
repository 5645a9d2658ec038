import type { z } from 'zod';
import type { Caller } from '../access/caller.ts';
import type { LongWork } from '../concurrency/longWork.ts';
import type { Pace } from '../concurrency/turns.ts';
import type { EnvelopeDialect } from '../dialects/envelope/dialect.ts';
import type { ServerLimits } from '../dialects/v2/index.ts';
import type { EventLog } from '../events/eventLog.ts';
import type { JobChanges } from '../events/jobChanges.ts';
import type { OutputGrowth } from '../events/outputGrowth.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { OutputLines } from '../lines/outputLines.ts';
import type { Logger } from '../log.ts';
import type { JobDatabase } from '../records/database.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { JsonObject, JsonValue } from '../wire/json.ts';
import type { ActionResult } from '../wire/reply.ts';
import type { MetaLimits } from '../wire/request.ts';
import type { TraceContext } from '../wire/traceContext.ts';

/** What actions work on; made once, when the server starts. */
export interface Services {
  readonly database: JobDatabase;
  /** All jobs, whatever runs them. */
  readonly jobs: Jobs;
  /** When this server has started, in milliseconds since 1970. */
  readonly startedAtMs: number;
  /** What happens to jobs. */
  readonly events: EventLog;
  /** Is told of orders to end jobs. */
  readonly changes: Pick<JobChanges, 'killOrdered'>;
  /** How outputs grow. */
  readonly growth: OutputGrowth;
  /** The lines of outputs. */
  readonly lines: OutputLines;
  /** Who is told of it. */
  readonly webhooks: Webhooks;
  /** A job was accepted, which took so long. */
  readonly jobAccepted?: (seconds: number) => void;
  /** Writes down what is to be known of jobs that nobody runs any more. */
  readonly closeOrphans: (pace?: Pace) => Promise<void>;
  readonly log: Logger;
  /** How clients are told of jobs where the original's back-ends differ. */
  readonly dialect: EnvelopeDialect;
  readonly settings: {
    /** The folder below which requests may name places for copies of the database. */
    readonly exportPath: string;
    /** Whether a shareDir stands for the folder of its last name alone (STOREBASE). */
    readonly isShareMapped: boolean;
    /** How long a killed job gets before SIGKILL, in milliseconds, when the request does not say. */
    readonly killGraceMs: number;
    /** What clients are told of it. */
    readonly limits: ServerLimits;
  };
  /** Opens a file transfer endpoint (pfioh) beside pman. */
  readonly openFileio: (options: FileioOptions) => Promise<FileioEndpoint>;
  /** Ends the server once the reply is out. */
  readonly shutDown: (options: QuitOptions) => void;
}

export interface QuitOptions {
  /** Whether to end the jobs that run, or leave them running; default: as the server was started. */
  readonly endJobs?: boolean;
}

export interface FileioOptions {
  /** Serve until pman ends, not only one request. */
  readonly forever: boolean;
  /** The one that all share, until pman ends. */
  readonly shared?: boolean;
}

export interface FileioEndpoint {
  readonly ip: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** What it keeps to. */
  readonly folder: string;
}

export interface ActionContext {
  readonly services: Services;
  /** `meta` as it was sent: schemas reorder and convert. */
  readonly rawMeta: JsonObject;
  /** The client does not wait for the end of what it asks for. */
  readonly threaded: boolean;
  /** How long work makes room for others. */
  readonly pace: LongWork | undefined;
  /** What came along with the request for the job to read. */
  readonly input?: Buffer | undefined;
  /** Who asks. That it may ask for this action is known; what else it may is the action's to look at. */
  readonly caller: Caller;
  /** The trace that the request belongs to. */
  readonly trace?: TraceContext | undefined;
}

/**
 * One verb of the protocol. `meta` has passed the schema when `handle` gets it.
 * What `handle` throws becomes the reply: PmanError with its own status, anything else 500.
 */
export interface Action<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  handle(meta: z.infer<S>, context: ActionContext): ActionResult | Promise<ActionResult>;
  /**
   * Whether `handle` itself sees to threaded requests. Others are begun, and their client is told so, with
   * no look at how they end (protocol a.5).
   */
  readonly handlesThreaded?: boolean;
  /** Of an action that keeps its meta: how much that may be. */
  readonly metaLimits?: MetaLimits;
}

/** Gives an action the type of its own schema. */
export function defineAction<S extends z.ZodType>(action: Action<S>): Action<S> {
  return action;
}

/** An object for `d_ret` from members that may repeat over jobs. */
export function members(entries: Iterable<readonly [string, JsonValue]>): JsonValue {
  return Object.fromEntries(entries);
}
