import { type JobEvent, PmanClientError } from '../../../client/index.ts';
import type { FromWindow, ToWindow } from './messages.ts';

/** What a window needs of a `SharedWorker`. */
export interface Shared {
  readonly port: {
    addEventListener(type: 'message', listener: (event: { readonly data: ToWindow }) => void): void;
    start(): void;
    postMessage(message: FromWindow): void;
    close(): void;
  };
  addEventListener(type: 'error', listener: () => void): void;
}

export interface SharedOptions {
  readonly token: string | null;
  readonly after: number | undefined;
  readonly signal: AbortSignal;
  /** Told whenever something has come of the server. */
  readonly onAlive: () => void;
}

/** There is no script that could hold a stream for all windows. */
export class NotShared extends Error {
  readonly isForGood: boolean;

  /** @param isForGood whether there will be none */
  constructor(isForGood: boolean) {
    super();
    this.isForGood = isForGood;
  }
}

/** So long the script may take to begin, in milliseconds. */
const BEGIN_MS = 5000;
/** It says every 20 seconds that it is there. */
const SILENCE_MS = 45_000;

/**
 * What happens to jobs, by the stream that all windows of this browser have together.
 * @throws NotShared before anything else, when there is none; PmanClientError as the client's `events`; the signal's reason
 */
export async function* sharedEvents(
  worker: Shared,
  { token, after, signal, onAlive }: SharedOptions,
): AsyncGenerator<JobEvent> {
  const { port } = worker;
  const inbox: ToWindow[] = [];
  let failure: Error | undefined;
  let isIn = false;
  let wake = () => {};
  const fail = (error: Error) => {
    failure ??= error;
    wake();
  };
  const lost = (isForGood: boolean) =>
    fail(isIn ? new PmanClientError('unreachable', 'nothing is heard') : new NotShared(isForGood));
  let timer = setTimeout(() => lost(false), BEGIN_MS);
  port.addEventListener('message', ({ data }) => {
    if (failure !== undefined) return;
    isIn = true;
    clearTimeout(timer);
    timer = setTimeout(() => lost(false), SILENCE_MS);
    if (data.kind === 'ping') port.postMessage({ kind: 'here' });
    if (data.kind === 'news') onAlive();
    inbox.push(data);
    wake();
  });
  worker.addEventListener('error', () => lost(true));
  // At once: a window that is closed has no time for more.
  const leave = () => {
    clearTimeout(timer);
    port.postMessage({ kind: 'leave' });
    fail(new Error('the window leaves'));
  };
  signal.addEventListener('abort', leave);
  try {
    signal.throwIfAborted();
    port.start();
    port.postMessage({ kind: 'join', token, after });
    for (;;) {
      const message = inbox.shift();
      if (message?.kind === 'news') yield* message.events;
      if (message?.kind === 'failed') {
        const { code, message: text, status } = message;
        throw new PmanClientError(code, text, { status });
      }
      if (message !== undefined) continue;
      signal.throwIfAborted();
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', leave);
    if (!signal.aborted) leave();
    port.close();
  }
}
