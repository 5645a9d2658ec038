import type { Duplex } from 'node:stream';

export interface IdleWatch {
  /** How often to look; 0: never. */
  readonly everyMs: number;
  /** How long nothing may move just now. */
  readonly limitMs: () => number;
  /** Whether the other side waits for us. */
  readonly isOurTurn: () => boolean;
  /** Nothing has moved for so long. */
  readonly onIdle: (ms: number) => void;
}

/** A connection as `net` and `tls` make it. */
interface Watched {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  setTimeout(ms: number): void;
}

/** Watches a connection on which nothing arrives and nothing can be sent any more. */
export function watchIdle(socket: Duplex, watch: IdleWatch): void {
  if (watch.everyMs <= 0 || !isWatched(socket)) return;
  const moved = () => socket.bytesRead + socket.bytesWritten;
  let before = moved();
  let idleMs = 0;
  socket.on('timeout', () => {
    const now = moved();
    idleMs = now === before && !watch.isOurTurn() ? idleMs + watch.everyMs : watch.everyMs;
    before = now;
    const isOver = idleMs >= watch.limitMs() && !watch.isOurTurn();
    if (isOver) watch.onIdle(idleMs);
    // Node looks once, until something moves.
    else socket.setTimeout(watch.everyMs);
  });
  socket.setTimeout(watch.everyMs);
}

function isWatched(socket: Duplex): socket is Duplex & Watched {
  return 'setTimeout' in socket && 'bytesRead' in socket && 'bytesWritten' in socket;
}
