import { clockText } from '../terminal/wallClock.ts';
import type { Streams } from './streams.ts';

/** What is known of the way to a server that is asked again and again. */
export interface Link {
  /** Told each time when it is lost or back. */
  readonly tell: (isThere: boolean) => void;
  readonly isLost: () => boolean;
}

/** Says on stderr when it is lost and when it is back. On a terminal what waits says so in its own way. */
export function openLink({ err, signs }: Streams, url: string): Link {
  let isLost = false;
  return {
    isLost: () => isLost,
    tell(isThere) {
      isLost = !isThere;
      if (err.isTerminal) return;
      const what = isThere ? 'is back' : 'is lost';
      const rest = isThere ? '' : ` ${signs.dot} it is tried again until it is back`;
      err.line(`pman: the connection to ${url} ${what} ${clockText(Date.now())}${rest}`);
    },
  };
}
