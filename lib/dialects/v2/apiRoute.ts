import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Soon } from '../../concurrency/soon.ts';
import type { EventLog } from '../../events/eventLog.ts';
import type { OutputGrowth } from '../../events/outputGrowth.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { OutputLines } from '../../lines/outputLines.ts';
import type { JobDatabase } from '../../records/database.ts';
import type { Webhooks } from '../../webhooks/webhooks.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { ActionResult } from '../../wire/reply.ts';
import type { ServerLimits } from './serverLimits.ts';

/** The actions of the original that routes are made of. */
export type ApiAction = 'run' | 'kill' | 'delete';

/** What a route does, as scopes know it. */
export type Deed = ApiAction | 'fileiosetup' | 'notify' | 'GET';

/** The file server beside this one; `folder` is where its files lie. */
export interface OpenStore {
  readonly scheme: 'http' | 'https';
  readonly port: number;
  readonly folder: string;
}

/** What the routes of `/api/v2` work on, as the one who asks may see it. */
export interface ApiContext {
  readonly database: JobDatabase;
  readonly jobs: Jobs;
  /** When this server has started, in milliseconds since 1970. */
  readonly startedAtMs: number;
  /** What it and its jobs are held to. */
  readonly limits: ServerLimits;
  readonly events: EventLog;
  readonly growth: OutputGrowth;
  /** The lines of outputs. */
  readonly lines: OutputLines;
  readonly webhooks: Pick<Webhooks, 'of' | 'again'>;
  /** Who asks: only the jobs of this auid are there; undefined: all are. */
  readonly auid: string | undefined;
  /** @throws PmanError unavailable when it cannot be opened */
  openStore(): Promise<OpenStore>;
  /** @throws PmanError forbidden when the one who asks may not */
  permit(deed: Deed): void;
  /**
   * Does what an action of the original's envelope does, with its checks.
   * @param input what a job is to read, where its meta has a digest of it
   * @throws PmanError as the action does; forbidden when the one who asks may not
   */
  act(action: ApiAction, meta: JsonObject, input?: Buffer): Soon<ActionResult>;
}

/** A request whose parts have passed the schemas of its route. */
export interface ApiCall<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** What came along with the body for a job to read. */
  readonly input: Buffer | undefined;
  /** The value of a header; its name in small letters. */
  readonly header: (name: string) => string | undefined;
  /** Given when the client has gone. It is made when somebody asks for it. */
  readonly signal: AbortSignal;
}

export interface ApiReply {
  readonly status: number;
  readonly headers?: readonly (readonly [string, string])[];
  /** Sent as JSON; what is WrittenJson is that already. */
  readonly body?: unknown;
  /** Sent instead; the headers name its type. */
  readonly stream?: Readable;
}

/** An answer, or what has to be waited for until there is one: no listener is held meanwhile. */
export type Answer = ApiReply | { readonly later: () => Promise<ApiReply> };

export interface RouteAnswer {
  readonly description: string;
  /** Of a JSON body. */
  readonly schema?: z.ZodType;
  /** The operations that take the `id` in it. */
  readonly links?: readonly string[];
  /** Of another body. */
  readonly types?: readonly string[];
}

/** One verb of one path: what it takes, what it gives, and what it does. The OpenAPI document is made of these. */
export interface Route<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the root of the server: `/api/v2/jobs/{id}`. */
  readonly path: string;
  /** What it does; without one it reads. Who may not do that is refused before the rest is looked at. */
  readonly deed?: Deed;
  /** Unique; names the method of generated clients. */
  readonly operation: string;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Bodies that work, by a name; tests send them. */
  readonly examples?: Readonly<Record<string, unknown>>;
  /** Whether the body may also be a form, with the JSON as its part `job` and the part `stdin`. */
  readonly takesInput?: boolean;
  /** Headers that it looks at: name and meaning. */
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  handle(
    call: ApiCall<z.infer<P>, z.infer<Q>, z.infer<B>>,
    context: ApiContext,
  ): Answer | Promise<Answer>;
}

/** Gives a route the types of its own schemas. */
export function defineRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  route: Route<P, Q, B>,
): Route<P, Q, B> {
  return route;
}
