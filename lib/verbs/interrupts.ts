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
