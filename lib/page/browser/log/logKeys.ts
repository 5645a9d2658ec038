import { areKeysOn, isTypedInto } from '../oneLetterKeys.ts';
import type { LogControl } from './logControl.ts';

/** Keys that are the log's wherever one is in the page. */
const EVERYWHERE = new Set(['/', 'e', 'E', 'n', 'N', 'F', 'w', 't', 'y']);

/** Keys that move what has the focus. */
const MOVES = new Set(['ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End', ' ']);

export interface KeyTargets {
  readonly control: () => LogControl | undefined;
  /** The whole view: inside it all keys are the log's. */
  readonly view: () => HTMLElement | null;
  readonly find: () => HTMLInputElement | null;
}

/** Listens to the keys of the log. @returns what ends that */
export function listenToLogKeys({ control, view, find }: KeyTargets): () => void {
  let hadG = false;
  const act = (event: KeyboardEvent) => {
    const { key, target } = event;
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (isTypedInto(target) || document.querySelector('dialog[open]') !== null) return;
    const log = control();
    const isInside = target instanceof Node && view()?.contains(target) === true;
    // What has no use for a key leaves it to the log.
    const isFree = target instanceof Element && target.matches('body, .panelHead h2');
    const isMove = MOVES.has(key);
    const isOurs = isInside || EVERYWHERE.has(key) || (isMove && isFree);
    if (log === undefined || !isOurs) return;
    const isSecondG = key === 'g' && hadG;
    hadG = key === 'g' && !isSecondG;
    // Elsewhere they are for buttons and boxes.
    const isInLines = target instanceof Element && target.closest('.log-scroller') !== null;
    if (isMove && !isInLines && !isFree) return;
    const isLetter = key.length === 1 && !isMove;
    if (isLetter && !areKeysOn()) return;
    if (key === '/') find()?.focus();
    else if (key === 'g' && !isSecondG) return;
    else if (!obey(log, key)) return;
    event.preventDefault();
  };
  document.addEventListener('keydown', act);
  return () => document.removeEventListener('keydown', act);
}

function obey(log: LogControl, key: string): boolean {
  switch (key) {
    case 'F':
    case 'G':
    case 'End':
      log.follow();
      return true;
    case 'g':
    case 'Home':
      log.pane.show(1, 'top');
      return true;
    case 'j':
    case 'ArrowDown':
      log.pane.step(1);
      return true;
    case 'k':
    case 'ArrowUp':
      log.pane.step(-1);
      return true;
    case 'PageDown':
    case ' ':
      log.pane.page(1);
      return true;
    case 'PageUp':
      log.pane.page(-1);
      return true;
    case 'n':
      void log.goToHit(1);
      return true;
    case 'N':
      void log.goToHit(-1);
      return true;
    case 'e':
      void log.goToStderr(1);
      return true;
    case 'E':
      void log.goToStderr(-1);
      return true;
    case 'w':
      log.wrap();
      return true;
    case 't':
      log.nextTimes();
      return true;
    case 'y':
      if (log.hasMarked) void log.copyMarked();
      return log.hasMarked;
    default:
      return false;
  }
}
