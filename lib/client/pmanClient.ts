import type {
  Backends,
  Capabilities,
  EventPage,
  EventQuery,
  FileList,
  FileStore,
  FindQuery,
  FoundLines,
  Job,
  JobChanges,
  JobEvent,
  JobPage,
  JobQuery,
  KillOrder,
  LinesQuery,
  NewJob,
  Notifications,
  NotifyAgain,
  OutputLines,
  RunningJobs,
  SentAgain,
  ServerFacts,
} from '../dialects/v2/shapes.ts';
import type {
  CallOptions,
  EventsOptions,
  FilesOptions,
  FollowOptions,
  JobName,
  OutputName,
  OutputOptions,
  PiecesOptions,
  RunOptions,
} from './callOptions.ts';
import { PmanClientError } from './clientError.ts';
import { type Call, Connection, type Has, type PmanClientOptions } from './connection.ts';
import { followEvents } from './eventFeed.ts';
import { requireSendable } from './headerValue.ts';
import { jobForm } from './jobForm.ts';
import { filePath, jobPath, outputPath } from './jobPath.ts';
import { merged } from './merged.ts';
import { followOutput, hasEnded, type OutputChunk, requireOffset } from './outputFeed.ts';
import { ownKey } from './ownKey.ts';
import { type OutputPiece, outputPieces } from './piecesFeed.ts';

const JOB: Has = ['id', 'string'];
const LINES: Has = ['lines', 'list'];

/** How long one request waits for the end of a job, in seconds. */
const WAIT_SECONDS = 30;

/**
 * A client of pman's `/api/v2`, for Node and for browsers. Nothing is kept open between calls.
 *
 * Calls throw `PmanClientError` for what the server refuses, and when it cannot be reached; they throw the reason of their
 * signal when that is given. What can be repeated without harm is tried again while a server is away (`patienceMs`).
 */
export class PmanClient {
  /** Also when its code is made small. */
  static readonly name: string = 'PmanClient';
  readonly #connection: Connection;

  /** @throws TypeError when the address is no URL of `http:` or `https:`, or has a user or a password in it */
  constructor(options: PmanClientOptions | string | URL) {
    const isAddress = typeof options === 'string' || options instanceof URL;
    this.#connection = new Connection(isAddress ? { url: options } : options);
  }

  /** Has a job accepted: it is on the server's disk when this resolves, and has seldom begun. */
  run(job: NewJob | string, options: RunOptions = {}): Promise<Job> {
    return this.#accepted('/jobs', typeof job === 'string' ? { command: job } : job, options);
  }

  /** Has the same job accepted again, with another key; what `changes` names is another way. */
  async rerun(job: JobName, changes: JobChanges = {}, options: RunOptions = {}): Promise<Job> {
    return this.#accepted(`${jobPath(job)}/rerun`, changes, options);
  }

  /** How a job stands. */
  async job(job: JobName, { signal }: CallOptions = {}): Promise<Job> {
    return this.#json({ path: jobPath(job), has: JOB, signal });
  }

  /** All jobs that fit, the newest first, fetched in pages as far as they are read; `fields`: with these members alone. */
  async *jobs<Member extends keyof Job = keyof Job>(
    query: JobQuery<Member> = {},
    { signal }: CallOptions = {},
  ): AsyncGenerator<Pick<Job, Member>> {
    for (let { cursor } = query; ; ) {
      const page = await this.jobPage({ ...query, cursor }, signal === undefined ? {} : { signal });
      yield* page.jobs;
      // What is no pman may say nothing of a next page: it would be asked for the first one for ever.
      if (typeof page.next !== 'string') return;
      cursor = page.next;
    }
  }

  /** One page of jobs; its `next` is the `cursor` of the page behind it. */
  jobPage<Member extends keyof Job = keyof Job>(
    query: JobQuery<Member> = {},
    { signal }: CallOptions = {},
  ): Promise<JobPage<Member>> {
    return this.#json({ path: '/jobs', query, has: ['jobs', 'list'], signal });
  }

  /** Resolves when the job has ended, with how it has ended: a job that failed is no error. */
  async wait(job: JobName, { signal }: CallOptions = {}): Promise<Job> {
    const path = jobPath(job);
    const limitMs = (WAIT_SECONDS + 30) * 1000;
    for (;;) {
      const now = await this.#json<Job>({
        ...{ path, query: { wait: `${WAIT_SECONDS}s` }, signal, limitMs },
        has: ['state', 'string'],
      });
      if (hasEnded(now)) return now;
    }
  }

  /**
   * What a job writes, from the beginning until it has ended; each byte once, also when the connection is lost or pman is
   * started again meanwhile.
   */
  async *follow(
    job: JobName,
    { stream, part, from = 0, signal }: FollowOptions = {},
  ): AsyncGenerator<OutputChunk> {
    requireOffset(from, stream);
    const names: readonly OutputName[] = stream === undefined ? ['stdout', 'stderr'] : [stream];
    yield* merged(
      names.map((name) => (stop: AbortSignal) => {
        const place = { job, stream: name, part, offset: from, signal: stop };
        return followOutput(this.#connection, place);
      }),
      signal,
    );
  }

  /**
   * Both outputs of a job in the order in which they came in, as far as that is known; with `follow` until it has ended. Each
   * byte comes once, also when the connection is lost or pman is started again meanwhile.
   */
  pieces(
    job: JobName,
    { part, follow = false, after, onLost, signal }: PiecesOptions = {},
  ): AsyncGenerator<OutputPiece> {
    const place = { job, part, follow, after, onLost, signal };
    return outputPieces(this.#connection, place);
  }

  /** What a job has written until now. */
  async output(
    job: JobName,
    { stream = 'stdout', part, from = 0, signal }: OutputOptions = {},
  ): Promise<Uint8Array> {
    requireOffset(from, stream);
    const call: Call = {
      ...{ path: outputPath(job, stream), query: { part }, signal, takes: [416] },
      headers: from === 0 ? {} : { Range: `bytes=${from}-` },
    };
    return this.#connection.read(call, async (response) => {
      // There is nothing behind that offset, or not yet.
      if (response.status === 416) return new Uint8Array();
      return new Uint8Array(await response.arrayBuffer());
    });
  }

  /** How many bytes a job has written to an output until now. */
  async outputSize(job: JobName, options: OutputOptions = {}): Promise<number> {
    const { stream = 'stdout', part, signal } = options;
    const call: Call = {
      ...{ method: 'HEAD', path: outputPath(job, stream), query: { part }, signal },
    };
    try {
      return await this.#connection.read(call, async ({ headers }) =>
        Number(headers.get('content-length')),
      );
    } catch (error) {
      // The answer to HEAD has no body, which would say what is wrong; that to GET has.
      if (error instanceof PmanClientError && error.status !== undefined) {
        await this.output(job, { ...options, from: Number.MAX_SAFE_INTEGER });
      }
      throw error;
    }
  }

  /** What a job has written until now, as text in UTF-8. */
  async text(job: JobName, options: OutputOptions = {}): Promise<string> {
    return new TextDecoder().decode(await this.output(job, options));
  }

  /** Lines of what a job has written, of both outputs in the order in which they began. */
  async lines(
    job: JobName,
    query: LinesQuery = {},
    { signal }: CallOptions = {},
  ): Promise<OutputLines> {
    const limitMs = (WAIT_SECONDS * 2 + 30) * 1000;
    const path = `${jobPath(job)}/output/lines`;
    return this.#json({ path, query, has: LINES, signal, limitMs });
  }

  /** Finds the lines that have a `text` or fit a `regex`. */
  async find(job: JobName, query: FindQuery, { signal }: CallOptions = {}): Promise<FoundLines> {
    return this.#json({ path: `${jobPath(job)}/output/find`, query, has: LINES, signal });
  }

  /**
   * The first thousand of the files that a job has left and that it was asked to keep (`files`), or of those behind the path
   * `after`. It has to have ended.
   */
  async files(job: JobName, { after, signal }: FilesOptions = {}): Promise<FileList> {
    const has: Has = ['files', 'list'];
    return this.#json({ path: `${jobPath(job)}/files`, query: { after }, has, signal });
  }

  /** One of these files, by its path below the working folder. */
  async file(job: JobName, path: string, { signal }: CallOptions = {}): Promise<Uint8Array> {
    const call = { path: filePath(job, path), signal };
    return this.#connection.read(
      call,
      async (answer) => new Uint8Array(await answer.arrayBuffer()),
    );
  }

  /**
   * Sends a signal to all of a job (default: TERM); after `grace` seconds what is left gets SIGKILL. Resolves when the
   * order is on the disk: `wait` tells when the job has ended. It is never sent twice.
   */
  async kill(job: JobName, order: KillOrder = {}, { signal }: CallOptions = {}): Promise<Job> {
    const path = `${jobPath(job)}/kill`;
    return this.#json({ method: 'POST', path, body: order, has: JOB, signal });
  }

  /** Removes a job that has ended, with all that is kept of it. */
  async remove(job: JobName, { signal }: CallOptions = {}): Promise<void> {
    const call: Call = { method: 'DELETE', path: jobPath(job), signal };
    try {
      await this.#connection.json({ ...call, isRepeatable: false });
    } catch (error) {
      if (!(error instanceof PmanClientError) || error.code !== 'unreachable') throw error;
      // Perhaps only the answer was lost: then the job is no longer there.
      await this.#connection.read({ ...call, takes: [404] }, async () => undefined);
    }
  }

  /**
   * What happens to jobs, each change once and in order, also when the connection is lost or pman is started again
   * meanwhile. It begins with what comes next, or behind the number `after`, and does not end.
   */
  events(query: EventQuery = {}, options: EventsOptions = {}): AsyncGenerator<JobEvent> {
    return followEvents(this.#connection, query, options);
  }

  /** Events that have happened, oldest first, behind the number `after`: 500 at most. */
  eventPage(query: EventQuery = {}, { signal }: CallOptions = {}): Promise<EventPage> {
    return this.#json({ path: '/events', query, has: ['events', 'list'], signal });
  }

  /** What came of the webhooks that a job asked for. */
  async notifications(job: JobName, { signal }: CallOptions = {}): Promise<Notifications> {
    const has: Has = ['notifications', 'list'];
    return this.#json({ path: `${jobPath(job)}/notifications`, has, signal });
  }

  /** Sends webhooks of a job again: those that were given up, or `all`. It is never asked for twice. */
  async notifyAgain(job: JobName, body: NotifyAgain = {}, { signal }: CallOptions = {}) {
    const path = `${jobPath(job)}/notify`;
    const has: Has = ['deliveries', 'number'];
    return this.#json<SentAgain>({ method: 'POST', path, body, has, signal });
  }

  /** What the jobs that run take now, and what they have written last. */
  running({ signal }: CallOptions = {}): Promise<RunningJobs> {
    return this.#json({ path: '/running', has: ['jobs', 'list'], signal });
  }

  /** The file server beside that pman, for `push` and `pull`. */
  store({ signal }: CallOptions = {}): Promise<FileStore> {
    const has: Has = ['port', 'number'];
    return this.#json({ method: 'POST', path: '/store', has, signal, isRepeatable: true });
  }

  /** What runs jobs there, and what each of these can do. */
  capabilities({ signal }: CallOptions = {}): Promise<Capabilities> {
    return this.#json({ path: '/capabilities', has: ['backends', 'list'], signal });
  }

  /** Whether each of what runs jobs there could run one now. It is asked: that takes some seconds at most. */
  backends({ signal }: CallOptions = {}): Promise<Backends> {
    return this.#json({ path: '/backends', has: ['backends', 'list'], signal });
  }

  /** Which pman it is, and how it does. */
  server({ signal }: CallOptions = {}): Promise<ServerFacts> {
    return this.#json({ path: '/server', has: ['disk', 'object'], signal });
  }

  async #accepted(
    path: string,
    job: object,
    { key = ownKey(), input, signal }: RunOptions,
  ): Promise<Job> {
    requireSendable('key', key);
    const { type, body } = input === undefined ? { type: {}, body: job } : jobForm(job, input);
    const headers = { 'Idempotency-Key': key, ...type };
    const call: Call = { method: 'POST', path, body, headers, signal, isRepeatable: true, key };
    return this.#json({ ...call, has: JOB });
  }

  #json<T>(call: Call): Promise<T> {
    return this.#connection.json<T>(call);
  }
}
