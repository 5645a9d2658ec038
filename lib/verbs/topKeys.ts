import type { Job } from '../client/index.ts';
import { SORTS, type TopChoice } from './topScreen.ts';

/** What a key asks for beyond another look at the same. */
export type TopOrder =
  | { readonly kind: 'quit' | 'suspend' }
  | { readonly kind: 'show' | 'logs' | 'kill' | 'rerun'; readonly job: Job };

export interface TopPressed {
  readonly choice: TopChoice;
  readonly order?: TopOrder;
}

/** What a terminal would make a signal of, did it not hand on each key. */
const CONTROLS: ReadonlyMap<string, 'quit' | 'suspend'> = new Map([
  ['\u0003', 'quit'],
  // Ctrl-\, the way out where nothing else helps.
  ['\u001c', 'quit'],
  ['\u001a', 'suspend'],
]);
const ESCAPE = '\u001b';
const isEnter = (key: string) => key === '\r' || key === '\n';

/** Whether a key is no answer to a question, whatever is asked. */
export const isControl = (key: string) => CONTROLS.has(key);

/**
 * What a key makes of what is chosen.
 * @param shown the jobs in the order in which they are on the screen
 */
export function pressed(choice: TopChoice, key: string, shown: readonly Job[]): TopPressed {
  const kind = CONTROLS.get(key);
  if (kind !== undefined) return { choice, order: { kind } };
  return choice.isFiltering ? { choice: typed(choice, key) } : command(choice, key, shown);
}

function typed(choice: TopChoice, key: string): TopChoice {
  const { filter } = choice;
  if (isEnter(key)) return { ...choice, isFiltering: false };
  if (key === ESCAPE) return { ...choice, isFiltering: false, filter: '' };
  if (key === '\u007f' || key === '\b')
    return { ...choice, filter: Array.from(filter).slice(0, -1).join('') };
  return key >= ' ' && !key.startsWith(ESCAPE) ? { ...choice, filter: filter + key } : choice;
}

function command(choice: TopChoice, key: string, shown: readonly Job[]): TopPressed {
  switch (key) {
    case 'q':
      return { choice, order: { kind: 'quit' } };
    case 'j':
    case '\u001b[B':
    case '\u001bOB':
      return { choice: moved(choice, 1, shown) };
    case 'k':
    case '\u001b[A':
    case '\u001bOA':
      return { choice: moved(choice, -1, shown) };
    case '/':
      return { choice: { ...choice, isFiltering: true } };
    case ESCAPE:
      return { choice: { ...choice, filter: '', hasHelp: false } };
    case '?':
      return { choice: { ...choice, hasHelp: !choice.hasHelp } };
    case 's': {
      const next = SORTS[(SORTS.indexOf(choice.sort) + 1) % SORTS.length] ?? 'usual';
      return { choice: { ...choice, sort: next } };
    }
    case 'f':
      return { choice: { ...choice, onlyFailed: !choice.onlyFailed } };
    default: {
      const kind = DEEDS.get(key);
      const job = shown.find(({ id }) => id === choice.selected);
      return kind === undefined || job === undefined
        ? { choice }
        : { choice, order: { kind, job } };
    }
  }
}

const DEEDS: ReadonlyMap<string, 'show' | 'logs' | 'kill' | 'rerun'> = new Map([
  ['\r', 'show'],
  ['\n', 'show'],
  ['l', 'logs'],
  ['K', 'kill'],
  ['R', 'rerun'],
]);

function moved(choice: TopChoice, by: number, shown: readonly Job[]): TopChoice {
  const at = shown.findIndex(({ id }) => id === choice.selected);
  const selected = shown[Math.max(0, Math.min(shown.length - 1, at + by))]?.id;
  return { ...choice, selected };
}
