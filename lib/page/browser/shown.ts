import type { Job } from '../../client/index.ts';

/** How things are told to people: states, times, amounts. */

export type State = Job['state'];

/** States that people take for one; the list has a filter for each. */
export interface Group {
  readonly name: 'running' | 'waiting' | 'failed' | 'lost' | 'ok' | 'killed';
  readonly glyph: string;
  readonly states: readonly State[];
}

/** In the order of the keys 1 to 6. */
export const GROUPS: readonly Group[] = [
  { name: 'running', glyph: '●', states: ['running'] },
  { name: 'waiting', glyph: '○', states: ['waiting', 'starting'] },
  { name: 'failed', glyph: '✗', states: ['failed'] },
  { name: 'lost', glyph: '?', states: ['lost'] },
  { name: 'ok', glyph: '✓', states: ['succeeded'] },
  { name: 'killed', glyph: '■', states: ['killed'] },
];

export function groupNamed(name: string): Group | undefined {
  return GROUPS.find((group) => group.name === name);
}

/** The group of a state. */
export function groupOf(state: State): Group {
  const [first] = GROUPS;
  const found = GROUPS.find(({ states }) => states.includes(state)) ?? first;
  if (found === undefined) throw new Error('there are no groups');
  return found;
}

export type Told = Pick<Job, 'state' | 'exitCode' | 'place' | 'reason'>;

/** Signals of Linux by their numbers, from 1; those of some processors differ from 16 on. */
const SIGNALS = 'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM'.split(' ');

/** A state with the code in it, as pman ls says it: `failed 2`, `failed SEGV`, `timeout`, `waiting 3`, `starting`. */
export function stateWords({ state, exitCode, place, reason }: Told): string {
  if (state === 'waiting') return place === null ? 'waiting' : `waiting ${place}`;
  if (state === 'succeeded') return 'ok';
  if (state !== 'failed') return state;
  if (reason?.code === 'timeout') return 'timeout';
  if (exitCode === null || exitCode === 0) return state;
  return `failed ${exitCode > 0 ? exitCode : (SIGNALS[-exitCode - 1] ?? `signal ${-exitCode}`)}`;
}

export function isOver(state: State): boolean {
  return !['waiting', 'starting', 'running'].includes(state);
}

/** The beginning of the uuid in an id: what people call the job. */
export function shortId(id: string, digits = 6): string {
  return id.slice(id.indexOf('_') + 1, id.indexOf('_') + 1 + digits);
}

/** As kubectl has it: two units below ten of the first, then one. @param ms a length of time */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit));
  if (minutes === undefined || hours === undefined || days === undefined) return '';
  if (minutes === 0) return `${seconds}s`;
  if (minutes < 10) return `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
  if (hours === 0) return `${minutes}m`;
  if (hours < 10) return `${hours}h${String(minutes % 60).padStart(2, '0')}m`;
  return days < 2 ? `${hours}h` : `${days}d`;
}

/** How long a job has run; undefined when it has not begun, or nobody knows. */
export function tookMs(job: Pick<Job, 'startedAt' | 'endedAt' | 'state'>, now: number) {
  if (job.startedAt === null) return undefined;
  const end =
    job.endedAt === null ? (isOver(job.state) ? undefined : now) : Date.parse(job.endedAt);
  // The clock of the server may have been set back, or this one be behind.
  return end === undefined ? undefined : Math.max(0, end - Date.parse(job.startedAt));
}

export function tookWords(job: Pick<Job, 'startedAt' | 'endedAt' | 'state'>, now: number): string {
  const ms = tookMs(job, now);
  if (ms === undefined) return '';
  return ms < 10_000 && isOver(job.state) ? `${(ms / 1000).toFixed(1)}s` : span(ms);
}

/** The time of day here, `14:02`; with seconds `14:02:11`. */
export function clock(time: string | number, withSeconds = false): string {
  const date = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  const short = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return withSeconds ? `${short}:${two(date.getSeconds())}` : short;
}

/** `28 Nov 14:02:11`. */
export function dayAndClock(time: string): string {
  const date = new Date(time);
  const month = [
    'Jan',
    'Feb',
    'Mar',
    'Apr',
    'May',
    'Jun',
    'Jul',
    'Aug',
    'Sep',
    'Oct',
    'Nov',
    'Dec',
  ][date.getMonth()];
  return `${date.getDate()} ${month} ${clock(time, true)}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function bytesWords(bytes: number): string {
  const power = Math.min(
    UNITS.length - 1,
    bytes < 1024 ? 0 : Math.floor(Math.log(bytes) / Math.log(1024)),
  );
  const amount = bytes / 1024 ** power;
  return `${amount < 10 && power > 0 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[power]}`;
}

/** Cut in the middle: the end of a name tells runs apart. */
export function middleCut(name: string, most: number): string {
  const letters = [...name];
  if (letters.length <= most) return name;
  const head = Math.ceil((most - 1) / 2);
  return `${letters.slice(0, head).join('')}…${letters.slice(letters.length - (most - 1 - head)).join('')}`;
}

type Reasoned = Pick<Job, 'state' | 'reason' | 'exitCode' | 'place' | 'parts'>;

/** Why a job waits, or how it went wrong, in a sentence; undefined when there is nothing to say. */
export function whyWords({ state, reason, exitCode, place, parts }: Reasoned): string | undefined {
  if (reason === null) return undefined;
  const bad = parts.findIndex((part) => part.exitCode !== 0 && part.exitCode !== null);
  const which = parts.length > 1 && bad >= 0 ? `Part ${bad} of ${parts.length}` : 'The command';
  const { code, message } = reason;
  switch (code) {
    case 'queued':
      return place === null
        ? `It waits: ${message}.`
        : `It waits for its turn: place ${place} in the queue.`;
    case 'exit_code':
      return `${which} ended with exit code ${exitCode ?? '?'}. What it wrote to stderr may say why.`;
    case 'signal':
      return `${which} was ended by signal ${exitCode === null ? '?' : -exitCode}, which nobody here has sent: ${message}.`;
    case 'killed':
      return `It was ended on request: ${message}.`;
    case 'timeout':
      return `It took longer than it was allowed: ${message}.`;
    case 'output_limit':
      return `It wrote more than it was allowed: ${message}.`;
    case 'not_started':
      return `Nothing of it could be started: ${message}.`;
    case 'engine':
      return `The container engine says: ${message}.`;
    case 'lost':
      return `Nobody could see how it ended: ${message}. What could be read of its output is kept; its exit code is not known.`;
    default:
      return state === 'succeeded' ? undefined : message;
  }
}
