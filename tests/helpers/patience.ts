/** How much work is done to find out how long it takes, in milliseconds of the processor. */
const SAMPLE_CPU_MS = 10;

/**
 * A time limit for what other processes do too, in milliseconds: stretched by how much longer than its own work a process has to wait
 * for a processor just now, and by how slow the machine is. A limit says that something is not held up; a machine that is busy
 * with something else, or has slow memory, is no reason to fail.
 */
export function within(limitMs: number): number {
  return processorMs(limitMs) * slowness();
}

/** A limit of processor time, in milliseconds: stretched by how slow the machine is. */
export function processorMs(limitMs: number): number {
  return limitMs * Math.max(1, sampleMs() / USUAL_SAMPLE_MS);
}

/**
 * What the sample takes where limits hold as they are written: an estimate, for they were set on a machine where it was not
 * measured. One with slow memory takes 3.8 to 7.
 */
const USUAL_SAMPLE_MS = 2;
/** Mostly work on memory, as that of most programs here. */
const SAMPLE = JSON.stringify(
  Array.from({ length: 4000 }, (_, id) => ({ id, name: `job ${id}`, isOver: true, at: id * 1.5 })),
);
/** So many pages are touched that the process has not had before: one that has run for a while has all that JSON needs. */
const FRESH_PAGES = 512;
const PAGE_BYTES = 4096;

/** The processor time of a fixed piece of work, in milliseconds; the shortest of some, for the first ones are not compiled. */
function sampleMs(): number {
  const times = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage();
    JSON.parse(SAMPLE);
    const fresh = new Uint8Array(FRESH_PAGES * PAGE_BYTES);
    for (let at = 0; at < fresh.length; at += PAGE_BYTES) fresh[at] = 1;
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
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
