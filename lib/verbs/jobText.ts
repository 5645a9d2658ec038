import type { Job } from '../client/index.ts';
import type { Signs } from '../terminal/signs.ts';
import type { Style } from '../terminal/style.ts';

export { nameOf } from '../client/jobName.ts';

import { signalName } from './verbExit.ts';

const SHOWN = 6;

/** The name of a job as people see and type it: the beginning of its uuid. */
export function shortId(id: string): string {
  const at = id.indexOf('_') + 1;
  return id.slice(at, at + SHOWN);
}

type Ended = Pick<Job, 'state' | 'exitCode' | 'reason' | 'place'>;

/** How a job stands, in a word or two: `running`, `waiting 1`, `failed 2`, `failed SEGV`, `killed`. */
export function stateText({ state, exitCode, reason, place }: Ended): string {
  switch (state) {
    case 'succeeded':
      return 'ok';
    case 'waiting':
      return place === null ? 'waiting' : `waiting ${place}`;
    case 'failed':
      if (reason?.code === 'timeout') return 'timeout';
      if (exitCode === null || exitCode === 0) return 'failed';
      return `failed ${exitCode < 0 ? signalName(exitCode) : exitCode}`;
    case 'starting':
    case 'running':
    case 'killed':
    case 'lost':
      return state;
  }
}

/** The sign of a state. */
export function signOf(state: Job['state'], signs: Signs): string {
  switch (state) {
    case 'succeeded':
      return signs.ok;
    case 'running':
    case 'starting':
      return signs.running;
    case 'waiting':
      return signs.waiting;
    case 'failed':
    case 'killed':
    case 'lost':
      return signs[state];
  }
}

/** The colour of a state: red is for what failed alone. */
export function inStateColour(style: Style, state: Job['state'], text: string): string {
  switch (state) {
    case 'running':
    case 'starting':
      return style.cyan(text);
    case 'failed':
      return style.red(text);
    case 'lost':
      return style.magenta(text);
    case 'killed':
    case 'waiting':
      return style.dim(text);
    case 'succeeded':
      return text;
  }
}

/** The sign in its colour: that of a job that ended well is green. */
export function signInColour(style: Style, signs: Signs, state: Job['state']): string {
  const sign = signOf(state, signs);
  return state === 'succeeded' ? style.green(sign) : inStateColour(style, state, sign);
}

/** How long a job has run, in milliseconds; undefined when it has not begun. A clock that was set back makes it no less than 0. */
export function tookMs({ startedAt, endedAt }: Pick<Job, 'startedAt' | 'endedAt'>, nowMs: number) {
  if (startedAt === null) return undefined;
  return Math.max(0, (endedAt === null ? nowMs : Date.parse(endedAt)) - Date.parse(startedAt));
}
