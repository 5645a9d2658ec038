import type { PmanError } from '../../errors.ts';
import { BadRequestError } from '../../errors.ts';
import type { JsonObject } from '../../wire/json.ts';

/**
 * THE contract between container jobs and whatever runs them. Nothing here, and nothing that uses it, knows an engine.
 * tests/contract/engineContract.ts holds every engine to it.
 *
 * Every call fails with a PmanError. `unavailable` means that the engine did not answer: what was asked may have been done
 * nevertheless, and asking again may help.
 */
export interface Engine {
  /**
   * Whether this engine can do what is asked: names, limits, devices. What it cannot do is refused, never ignored.
   * @throws PmanError bad_request in words for the client, unavailable
   */
  check(request: WorkRequest, options: CheckOptions): Promise<Checked>;
  /**
   * Makes the workers and gives a handle, which is kept with the job. An image that is not there yet may be fetched later.
   * @returns undefined when it was cancelled and nothing was made
   * @throws PmanError conflict when something of another owner has the name, bad_request for what the engine refuses
   */
  start(request: WorkRequest, options: StartOptions): Promise<Started | undefined>;
  /** How these stand, by name; what is not there is left out. A few calls, however many are asked about. */
  look(works: readonly Work[], options?: LookOptions): Promise<ReadonlyMap<string, Look>>;
  /**
   * Sends a signal to all that runs of it. After the grace the caller asks again, with SIGKILL.
   * @returns false when not all of it can be reached by a signal: it waits, or runs elsewhere. Then only `remove` ends it.
   */
  end(work: Work, order: EndOrder): Promise<boolean>;
  /**
   * Ends what runs of it and forgets it; no error when there is nothing. What it has written is gone then.
   * @param job a job root: only what is this job's is removed (see isOfJob), else whatever has the name
   */
  remove(work: Work, job?: string): Promise<void>;
  /**
   * What the workers have written so far, one after the other, `limitBytes` at most of each: its beginning and its end.
   * Nothing depends on it: a job ends whether or not its output can be read.
   */
  logs(workers: readonly Worker[], limitBytes: number): Promise<string>;
  /** Hands on what a worker has written and writes, until it ends. Nothing when its output is not at hand. */
  follow(worker: Worker, options: FollowOptions): Promise<void>;
  /**
   * Tells the names of what may have changed, until the signal is given or the engine ends it. Not of every change: the
   * caller looks now and then, too.
   */
  changes(onChange: (name: string) => void, options: ChangesOptions): Promise<void>;
  /** Who has this name; undefined when nobody has. */
  owner(name: string): Promise<NameOwner | undefined>;
}

/** Where the folder that a request shares with its job is. */
export interface Share {
  /** A folder that is waited for, on pman's own file system. */
  readonly awaited?: string;
  /** What the engine is asked for as `shareDir`. */
  readonly shareDir?: string;
}

/**
 * What an engine makes of the folder that a request names.
 * @param asked as the request has it; undefined when it names none
 * @throws PmanError bad_request for one that cannot be meant
 */
export type ShareRule = (asked: string | undefined, jid: string) => Share;

/** Loads the engine's client and gives the engine; sends nothing. */
export type OpenEngine = (instance: string) => Promise<Engine>;

/** One command in one image, done by one worker or several, as an engine is asked to do it. */
export interface WorkRequest {
  /** The name under which the engine keeps it: what the client asked for. */
  readonly name: string;
  readonly image: string;
  /** The command line; quotes as in a shell. */
  readonly cmd: string;
  /** A folder of the engine's host that each worker sees, writable, where the original's containers have it. */
  readonly shareDir?: string;
  readonly owner: Owner;
  readonly options: WorkOptions;
  /**
   * How long it may take from when it was started, in milliseconds. pman keeps to that itself; an engine that can ends it somewhat
   * later, for when pman is away.
   */
  readonly timeoutMs?: number;
  /** What each worker reads as its standard input; absent: nothing. The bytes come with `start`. */
  readonly input?: InputFacts;
  /** The image that the client wants to manage it, where an engine has such; others do it themselves. */
  readonly manager?: ManagerImage;
}

/** What is known of an input before it is sent. */
export interface InputFacts {
  readonly bytes: number;
  /** Whether it is UTF-8. */
  readonly isText: boolean;
}

/** Whose work it is. The engine keeps this with it, whatever characters it has. */
export interface Owner {
  /** The job's root: different for every job. */
  readonly job: string;
  /** The pman whose job it is: the same through its restarts. */
  readonly instance: string;
  readonly jid: string;
  readonly auid: string;
}

/** What a request may ask for beyond the original's. */
export interface WorkOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly mounts?: readonly Mount[];
  /** User, or user:group, by name or number, in the container. */
  readonly user?: string;
  /** The folder that it starts in; the image's own when left out. An absolute path, and made where the image lacks it. */
  readonly cwd?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** How many workers run the command; one when left out. */
  readonly workers?: number;
  /** Whether a worker has a terminal: its lines then end in CR LF, where the engine keeps that. Without one its input is empty: it ends at once. */
  readonly tty?: boolean;
  readonly limits?: Limits;
}

/** The most that one worker may use. */
export interface Limits {
  /** Processors: 0.5 is half of one. */
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly gpus?: number;
}

/** A folder of the engine's host, or a volume by its name, that a worker sees. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The image that a request names as its manager, and the program in it (protocol g). */
export interface ManagerImage {
  readonly image: string;
  readonly app: string;
}

export interface CheckOptions {
  /** For how long a look at the names that are taken is good enough, in milliseconds. */
  readonly namesKnownForMs: number;
}

export interface Checked {
  /** Whether something has the name, as far as is known. `start` finds out for certain. */
  readonly nameIsTaken: boolean;
}

export interface StartOptions {
  /** Whether an earlier call for the same job may have come through: what it made is found, or completed, not made twice. */
  readonly mayExist: boolean;
  /** Once it is given nothing more is made. */
  readonly cancelled: AbortSignal;
  /** What each worker reads, where the request has an input. */
  readonly input?: Buffer | undefined;
  /** Whether this server has been closed: then nothing more is begun, and what was made stays for the next one. */
  readonly isLeft?: (() => boolean) | undefined;
}

/** What the engine wants to be given back with every later question. Only the engine looks into it. */
export type Handle = JsonObject;

export interface Started {
  readonly handle: Handle;
  /** What a manager has printed. */
  readonly printed: string;
}

/** Something that was started: its name, and the handle where it is known. */
export interface Work {
  readonly name: string;
  readonly handle: Handle | undefined;
  /** How many workers it was started with, where that is known: fewer that are left are not all of it. */
  readonly workers?: number | undefined;
}

export interface LookOptions {
  /** The answer goes to a client: an engine with several sources asks the one that the client named. */
  readonly closely?: boolean;
  /** The engine has told that these have changed: nothing is gained by a list of all. */
  readonly haveChanged?: boolean;
}

/** How work stands. */
export type Look =
  /** Nothing of it has started. */
  | (Seen & { readonly kind: 'waiting' })
  | (Seen & { readonly kind: 'running' })
  /** Nothing of it runs any more, and nothing will. `unknown`: nobody can say how it ended. */
  | (Seen & { readonly kind: 'ended'; readonly outcome: Outcome });

export type Outcome = 'succeeded' | 'failed' | 'unknown';

interface Seen {
  /** The oldest first. */
  readonly workers: readonly Worker[];
  /** Why it ended otherwise than well, or has to wait, as a sentence. */
  readonly cause?: string;
  /** The worker that decides how it stands, in the engine's own words: shown to clients, read by nobody else. */
  readonly shown: JsonObject;
}

/** One container of a job. */
export interface Worker {
  /** Different for every worker, also for one that replaces another. */
  readonly id: string;
  /** Null while it runs, where nobody knows it, and for one that never ran: never 0 but for one that ended well. */
  readonly exitCode: number | null;
  /** When it ended by the engine's clock, in milliseconds since 1970; undefined while it runs, and where nobody knows. */
  readonly endedAt?: number | undefined;
  readonly cause?: string;
  /** What clients call it that are told whose output is whose. */
  readonly label?: string;
  /** In the engine's own words: shown to clients, and read by the engine when it is asked for the output. */
  readonly shown: JsonObject;
}

export interface EndOrder {
  readonly signal: NodeJS.Signals;
  /** How long the job has before SIGKILL, in milliseconds: for engines that see to this themselves. */
  readonly graceMs: number;
}

export interface FollowOptions {
  /** How many bytes at the beginning of the output are left out. */
  readonly from: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called when the output is at hand, before anything is written. */
  readonly onOpen: () => void;
  /** Nothing more comes until it resolves. */
  readonly write: (bytes: Buffer) => Promise<void>;
}

export interface ChangesOptions {
  readonly signal: AbortSignal;
  /** Called once the engine tells its changes: what came before may have been missed. */
  readonly onOpen: () => void;
}

/** Who has a name. */
export interface NameOwner {
  /** The job root; undefined when it carries none. */
  readonly job: string | undefined;
  /** The pman that made it; undefined when it carries none. */
  readonly instance: string | undefined;
  /** Whether anything of it runs or waits to. */
  isLive(): Promise<boolean>;
}

/**
 * Whether what has the name of some work is a job's. What names no job is, when we have made it: the original's manager image
 * says nothing of jobs.
 */
export function isOfJob(
  owner: Pick<NameOwner, 'job'> | undefined,
  { handle }: Work,
  job: string,
): boolean {
  if (owner === undefined) return false;
  return owner.job === job || (owner.job === undefined && handle !== undefined);
}

/**
 * Reads how a worker has ended from what a record shows of it: the form is the engine's. Undefined for another form.
 * Records of the original, and of servers that have no engine now, are read by it, too.
 */
export type ReadShown = (shown: JsonObject) => ShownEnd | undefined;

export interface ShownEnd {
  readonly outcome: Outcome;
  readonly exitCode: number | null;
  /** Whether its command has been started; undefined where what is shown does not tell. */
  readonly hasRun?: boolean | undefined;
}

/** What stands for an output that cannot be read. */
export function unreadMark(reason: string): string {
  return `[… the output could not be read: ${reason} …]\n`;
}

/** @param form what a name has to look like, in words */
export function nameRefused(name: string, form: string): PmanError {
  return new BadRequestError(`run: ${JSON.stringify(name.slice(0, 80))} cannot name a service`, {
    hint: `meta.container.manager.env.serviceName, or else meta.jid: ${form}`,
  });
}
