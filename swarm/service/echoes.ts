/**
 * A container's event comes before the swarm's own word about its task: how long after the event the change is told again, in
 * milliseconds. An engine that starts many containers is late with it.
 */
const ECHOES_MS = [100, 280, 680] as const;

/** Passes each name on at once, and some more times within the next second; no more once the signal is given. */
export function withEchoes(
  onChange: (name: string) => void,
  signal: AbortSignal,
): (name: string) => void {
  const timers = new Set<NodeJS.Timeout>();
  const stop = () => {
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
  };
  signal.addEventListener('abort', stop, { once: true });
  return (name) => {
    if (signal.aborted) return;
    onChange(name);
    for (const ms of ECHOES_MS) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        onChange(name);
      }, ms).unref();
      timers.add(timer);
    }
  };
}
