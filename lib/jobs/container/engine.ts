import { PmanError } from '../../errors.ts';
import type { JsonObject } from '../../wire/json.ts';

/** What clients poll for (protocol c). */
export type ContainerStatus =
  | 'notstarted'
  | 'started'
  | 'finishedSuccessfully'
  | 'finishedWithError'
  | 'undefined';

/** One command in one image, as a container engine is asked to run it. */
export interface ContainerRequest {
  /** The name under which the engine keeps it: the service's. */
  readonly service: string;
  readonly image: string;
  /** The command line; quotes as in a shell. */
  readonly cmd: string;
  /** A folder of the engine's host that the container sees, writable, as /share. */
  readonly shareDir?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: ContainerOptions;
}

/** What a request may ask for beyond the original's. */
export interface ContainerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly mounts?: readonly ContainerMount[];
  /** User, or user:group, by name or number, in the container. */
  readonly user?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** How many containers run the command. */
  readonly workers?: number;
  readonly limits?: ContainerLimits;
}

/** The most that one container may use. */
export interface ContainerLimits {
  /** Processors: 0.5 is half of one. */
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly gpus?: number;
}

/** A folder of the engine's host, or a volume by its name, that a container sees. */
export interface ContainerMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** How a service stands. */
export interface ContainerState {
  readonly status: ContainerStatus;
  /** Nothing of it runs any more, and nothing will. */
  readonly isFinal: boolean;
  /** The task that decides, as the engine shows it. */
  readonly task: JsonObject;
  /** All tasks, the oldest first: one a worker. */
  readonly tasks: readonly JsonObject[];
  /** Why it ended otherwise than well, or has to wait, as a sentence. */
  readonly cause?: string;
}

/** The image that a request names as its manager, and the program in it. */
export interface ManagerImage {
  readonly image: string;
  readonly app: string;
}

/**
 * Runs commands as services: the one of this program, or a container of a manager image (protocol g). Every call
 * fails with a PmanError; `unavailable` means that the engine did not answer, and that asking again may help.
 */
export interface ContainerManager {
  /**
   * Makes the service; gives what a manager container has printed. Failing with `conflict`: the name is taken. With the signal
   * a manager that is at it is stopped; the service may have been made nevertheless.
   */
  schedule(request: ContainerRequest, cancelled: AbortSignal): Promise<string>;
  /** Undefined when there is no such service. */
  state(service: string): Promise<ContainerState | undefined>;
  /** Ends what runs of it and forgets it; no error when there is none. */
  remove(service: string): Promise<void>;
}

/** A service that the engine has. */
export interface ServiceFacts {
  readonly labels: Readonly<Record<string, string>>;
  /** Whether anything of it runs or waits to. */
  readonly isLive: () => Promise<boolean>;
  /** Whether it was made to the end; a call that was cut off may have left a part. */
  readonly isWhole: boolean;
}

/** A container engine: what is the same whichever manager runs a job. */
export interface ContainerEngine {
  /** The manager for a job; the built-in one when no image is named. */
  manager(image?: ManagerImage): ContainerManager;
  /** Labels of an image; undefined when the engine does not have it or cannot use it as a manager. */
  managerLabels(image: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** What names of services have to look like here, in words; undefined when this one does. */
  nameProblem(service: string): string | undefined;
  /** Names that are taken. */
  names(): Promise<ReadonlySet<string>>;
  /** What is known of a service by its name; undefined when there is none. */
  facts(service: string): Promise<ServiceFacts | undefined>;
  /** How these services stand; those that are not there are left out. A few calls, however many services. */
  states(services: ReadonlySet<string>): Promise<ReadonlyMap<string, ContainerState>>;
  /** What the tasks have written so far, one after the other, `limitBytes` at most of each: its beginning and its end. */
  logs(state: ContainerState, limitBytes: number): Promise<string>;
  /** Hands on what a task has written and writes, until it ends. Nothing when its container is not at hand. */
  follow(task: JsonObject, options: FollowOptions): Promise<void>;
  /** Sends a signal to what runs of a service; false when not all of it can be reached from here. */
  signal(service: string, signal: NodeJS.Signals): Promise<boolean>;
  /**
   * Tells of services in which something has happened, until the signal is given or the engine ends it. Not of everything:
   * a task that never got a container has no events.
   * @param onOpen called once the engine listens
   */
  changes(
    onChange: (service: string) => void,
    options: { readonly signal: AbortSignal; readonly onOpen: () => void },
  ): Promise<void>;
  /** Ends the manager containers of calls that were cut off: they might still do what they were told. */
  settle(): Promise<void>;
  /** Removes manager containers that a server of this label, which was killed, has left. */
  cleanUp(label: string): Promise<void>;
}

export interface FollowOptions {
  /** How many bytes of the output are passed over. */
  readonly from: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called when there is a container, before anything is written. */
  readonly onOpen: () => void;
  /** Nothing more comes until it resolves. */
  readonly write: (bytes: Buffer) => Promise<void>;
}

/** What a manager image of ours carries: it takes limits, environment, user, mounts and labels as flags. */
export const OWN_MANAGER_LABEL = 'org.fnndsc.pman.manager';

/** A manager container that cannot reach the engine from inside: the built-in manager may do its work. */
export class StrandedManagerError extends PmanError {
  constructor(message: string) {
    super('internal', message);
  }
}
