/** All that wait for one signal, as its one listener. */
class Waiting extends Set<() => void> {
  handleEvent(): void {
    for (const stop of this) stop();
  }
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

/**
 * Has a function called when a signal is given. A signal has one listener however many functions wait for it: Node warns of
 * more than ten, and programs have one signal for all that they do.
 * @returns what takes the function back
 */
export function onAbort(signal: AbortSignal | undefined, stop: () => void): () => void {
  if (signal === undefined) return () => {};
  const waiting = waitingFor.get(signal) ?? new Waiting();
  waitingFor.set(signal, waiting);
  // It is there once, however often it is added.
  signal.addEventListener('abort', waiting);
  waiting.add(stop);
  return () => {
    waiting.delete(stop);
    if (waiting.size === 0) signal.removeEventListener('abort', waiting);
  };
}
