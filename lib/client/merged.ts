import { onAbort } from '../onAbort.ts';

/** What comes from several sources, as it comes; ends when all have ended, and with the first that fails. */
export async function* merged<T>(
  sources: ReadonlyArray<(signal: AbortSignal) => AsyncGenerator<T>>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const stopper = new AbortController();
  const stop = () => stopper.abort(signal?.reason);
  signal?.throwIfAborted();
  const forget = onAbort(signal, stop);
  const next = async (source: AsyncGenerator<T>) => ({ source, turn: await source.next() });
  const open = sources.map((begin) => begin(stopper.signal));
  const pending = new Map(open.map((source) => [source, next(source)]));
  try {
    while (pending.size > 0) {
      const { source, turn } = await Promise.race(pending.values());
      if (turn.done === true) {
        pending.delete(source);
        continue;
      }
      pending.set(source, next(source));
      yield turn.value;
    }
  } finally {
    forget();
    stopper.abort();
    // What is under way ends with the signal, and nobody waits for how.
    await Promise.allSettled(pending.values());
  }
}
