/** How much work is done to find out how long it takes, in milliseconds of the processor. */
const SAMPLE_CPU_MS = 10;

/**
 * A time limit for what other processes do too, in milliseconds: stretched by how much longer than its own work a process has to wait
 * for a processor just now. A limit says that something is not held up; a machine that is busy with something else is no reason
 * to fail.
 */
export function within(limitMs: number): number {
  return limitMs * slowness();
}

/** How many times its own work a piece of work takes here now: 1 on an idle machine. */
function slowness(): number {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const usedMs = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  while (usedMs() < SAMPLE_CPU_MS);
  // What is measured takes two processes and more, and each waits.
  return Math.max(1, (2 * (performance.now() - startedAt)) / usedMs() - 1);
}
