import { isOverrun } from '../../crunner/job/outputLimit.ts';
import { TIME_LIMIT } from '../../crunner/job/timeLimit.ts';

/** How the cause of a job begins that a client has ended. */
export const KILL_REQUEST = 'ended by a kill request';

/** How the cause of a job begins that pman has ended when it was stopped itself. */
export const ENDED_WITH_PMAN = 'ended with pman';

/** Whether a cause says that a client has ended the job, or pman with itself. */
export function isKill(cause: string): boolean {
  return cause.startsWith(KILL_REQUEST) || cause.startsWith(ENDED_WITH_PMAN);
}

/**
 * Why a container job ended otherwise than well, or waits: the same words whatever runs it. What the engine says of it
 * follows behind ": ". docs/containers.md has them as a table.
 */
export const CAUSES = {
  /** Its command ended by itself, not with 0: the code follows in brackets. */
  exit: 'non-zero exit',
  memory: 'the container ran out of memory',
  /** Not its first process, which went on and ended otherwise. */
  memoryOfProcess: 'a process of the container ran out of memory',
  image: 'the image is missing',
  imageName: 'the name of the image is not valid',
  /** There is no such program in the image, or no such user. */
  command: 'the command could not be started',
  /** A container that the engine was told to run with it. */
  beside: 'a container beside it failed',
  mount: 'a folder cannot be mounted',
  name: 'its name is taken',
  refused: 'refused by the engine',
  /** The engine, or what drives it, was stopped on the way to the first instruction of the command. */
  interrupted: 'its start was interrupted',
  /** No node has the processors, memory or devices that it asks for. */
  place: 'no node can take it',
  waits: 'it waits',
  /** Its node was drained, lacked something, or was stopped. */
  node: 'ended by its node',
  nodeLost: 'its node is lost',
  unknown: 'nobody knows how it ended',
  removed: 'removed by somebody else',
  /** The seconds follow. */
  timeLimit: TIME_LIMIT,
  /** How much it may write follows. */
  output: 'it wrote more than it may',
  killed: KILL_REQUEST,
} as const;
export type CauseWord = keyof typeof CAUSES;

const MAX_DETAIL = 600;
/** A shell tells of a signal by 128 and the signal's number. */
const SIGNALLED = 128;
/** The highest number of a signal on Linux. */
const LAST_SIGNAL = 64;
export const KILLED_EXIT = SIGNALLED + 9;
/** What an engine stops with TERM ends so. */
export const STOPPED_EXIT = SIGNALLED + 15;

/** The words for what happened, and behind them the engine's own on one line. */
export function causeOf(word: CauseWord, detail?: string | null): string {
  const said = (detail ?? '')
    .replace(/\s+/g, ' ')
    .replace(/[\s:;]+$/, '')
    .slice(0, MAX_DETAIL)
    .trim();
  return said === '' ? CAUSES[word] : `${CAUSES[word]}: ${said}`;
}

/** Of a command that ended by itself, not with 0. */
export function exitCause(exitCode: number): string {
  const words = `${CAUSES.exit} (${exitCode})`;
  const signal = exitCode - SIGNALLED;
  return signal >= 1 && signal <= LAST_SIGNAL ? `${words}: as after signal ${signal}` : words;
}

/**
 * Of one that the kernel ended, or a process of it, since it took too much.
 * @param limit as text: 16Mi
 */
export function memoryCause(exitCode: number, limit: string | undefined): string {
  const its = limit === undefined ? '' : `its limit is ${limit}`;
  if (exitCode === KILLED_EXIT) return causeOf('memory', its);
  const then = `the command then ended with ${exitCode}`;
  return causeOf('memoryOfProcess', its === '' ? then : `${its}; ${then}`);
}

/** Whether a cause says that the job wrote more than it may, wherever it ran. */
export function isOutputLimit(cause: string): boolean {
  return isOverrun(cause) || cause.startsWith(CAUSES.output);
}

/** Whether a cause says that pman has ended the job: on request, with itself, or at a limit. */
export function isEndedByUs(cause: string): boolean {
  return isKill(cause) || isOutputLimit(cause) || cause.startsWith(CAUSES.timeLimit);
}

/** Of these causes nothing has run. */
const BEFORE_START: readonly CauseWord[] = [
  ...(['image', 'imageName', 'command', 'mount', 'name', 'refused', 'place', 'waits'] as const),
  'interrupted',
];

/** Whether a cause says that the engine could not start the command. */
export function isStartCause(cause: string): boolean {
  return BEFORE_START.some((word) => cause.startsWith(CAUSES[word]));
}

/** With an end of these causes nobody has seen how the command ended. */
const UNSEEN: readonly CauseWord[] = ['unknown', 'removed', 'nodeLost'];

/** Whether a cause says that nobody could see how it ended. */
export function isUnseenEnd(cause: string): boolean {
  return UNSEEN.some((word) => cause.startsWith(CAUSES[word]));
}

/** Of one that wrote more than so many bytes. */
export function outputCause(maxBytes: number): string {
  return causeOf('output', `its limit is ${maxBytes} bytes`);
}

/** Of one that was killed and has a limit, where the engine does not say why. */
export function perhapsMemoryCause(limit: string): string {
  return causeOf('memory', `it seems so, since it was killed, and its limit is ${limit}`);
}

/** What engines say of what they did not start: Docker, Podman, containerd and runc. */
const STARTS: readonly (readonly [RegExp, CauseWord])[] = [
  // What was made waits to be told to run its command: whoever was interrupted behind that may have told it.
  [/failed to start .*context (canceled|deadline exceeded)/i, 'unknown'],
  [/context (canceled|deadline exceeded)/i, 'interrupted'],
  [/invalid reference format|not a valid repository|repository name .*must be/i, 'imageName'],
  [/no such image|image not known|pull access denied|manifest .*unknown/i, 'image'],
  [/bind source path|invalid mount|error mounting|statfs \S+: no such file/i, 'mount'],
  [/executable file .*not found|exec: |unable to find user|no matching entries/i, 'command'],
  [/no suitable node|could not select device/i, 'place'],
];

/**
 * Of what an engine did not start.
 * @param said the engine's words, which tell the kind of reason
 * @param otherwise what it is when they do not
 */
export function startCause(said: string, otherwise: CauseWord = 'refused'): string {
  const known = STARTS.find(([pattern]) => pattern.test(said));
  return causeOf(known?.[1] ?? otherwise, said);
}

/** The words that a cause begins with; undefined for one that has others. */
export function wordsOf(cause: string): string | undefined {
  return Object.values(CAUSES).find(
    (words) => cause.startsWith(words) && /^($|: | [(\d])/.test(cause.slice(words.length)),
  );
}
