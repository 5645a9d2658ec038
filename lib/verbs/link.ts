import { clockText } from '../terminal/wallClock.ts';
import type { Streams } from './streams.ts';

/** What is known of the way to a server that is asked again and again. */
export interface Link {
  /** Told each time when it is lost or back. */
  readonly tell: (isThere: boolean) => void;
  readonly isLost: () => boolean;
  /** Calls `take` whenever it is lost from now on; at once when it is. */
  readonly onLost: (take: () => unknown) => void;
}

/** What is back by then is not worth a line between those of a job. */
const SAID_AFTER_MS = 2000;

/**
 * Says on stderr when it is lost and when it is back: who reads a pipe would wait for he knows not what. On a terminal what
 * waits says so in its own way.
 */
export function openLink({ err, signs }: Streams, url: string): Link {
  let isLost = false;
  let isSaid = false;
  let timer: NodeJS.Timeout | undefined;
  const listeners: (() => unknown)[] = [];
  const say = (what: string) =>
    err.line(`pman: the connection to ${url} is ${what} ${signs.dot} ${clockText(Date.now())}`);
  return {
    isLost: () => isLost,
    onLost(take) {
      listeners.push(take);
      if (isLost) take();
    },
    tell(isThere) {
      isLost = !isThere;
      clearTimeout(timer);
      if (isLost) for (const take of listeners) take();
      if (err.isTerminal) return;
      if (isThere) {
        if (isSaid) say('back');
        isSaid = false;
        return;
      }
      timer = setTimeout(() => {
        isSaid = true;
        say('lost, it is tried again until it is back');
      }, SAID_AFTER_MS).unref();
    },
  };
}
