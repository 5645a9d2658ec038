import { setMaxListeners } from 'node:events';
import { INTERRUPTED } from './verbExit.ts';

/** What a signal from a terminal, or from whoever ends this process, has asked for. */
export type Interrupt = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/**
 * Listens to Ctrl-C and the like while something goes on.
 * @param take is told each; without it the process would end at once
 * @returns stops listening
 */
export function onInterrupts(
  signals: readonly Interrupt[],
  take: (signal: Interrupt, count: number) => void,
): () => void {
  let count = 0;
  const listeners = signals.map((signal) => {
    const listener = () => {
      count += 1;
      take(signal, count);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const stop of listeners) stop();
  };
}

/**
 * Does what goes on until it is over, or until Ctrl-C. A second one ends this process at once.
 * @param work ends (by throwing) when its signal is given
 * @param broken says what stays when it was broken off
 * @returns the exit code
 */
export async function untilCtrlC(
  work: (signal: AbortSignal) => Promise<number>,
  broken: () => void | Promise<void> = () => undefined,
): Promise<number> {
  const stopper = new AbortController();
  // Each of a thousand jobs that are followed listens to it; Node would warn of a leak from the eleventh on.
  setMaxListeners(0, stopper.signal);
  const stop = onInterrupts(['SIGINT', 'SIGTERM', 'SIGHUP'], (_signal, count) => {
    if (count > 1) process.exit(INTERRUPTED);
    stopper.abort();
  });
  try {
    return await work(stopper.signal);
  } catch (error) {
    if (!stopper.signal.aborted) throw error;
    await broken();
    return INTERRUPTED;
  } finally {
    stop();
  }
}
