import type { Browser, Page } from 'playwright-core';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Of wall time and of processor time, in microseconds. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** A task of the thread that runs a page's scripts and draws it, in milliseconds. */
export interface MainTask {
  readonly processorMs: number;
  readonly wallMs: number;
}

/** What the scripts of a page hold after garbage was collected, in bytes. */
export async function heapBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
}

/** Records the tasks of a page's own thread. @returns what ends that, and gives those of the longest processor time first */
export async function recordTasks(page: Page): Promise<() => Promise<readonly MainTask[]>> {
  const browser = page.context().browser() as Browser;
  const categories = ['toplevel', 'disabled-by-default-devtools.timeline'];
  await browser.startTracing(page, { categories });
  return async () => {
    const trace = await browser.stopTracing();
    const { traceEvents: events } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
    const threads = new Set(
      events
        .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
        .map(({ pid, tid }) => `${pid} ${tid}`),
    );
    return (
      events
        .filter(
          ({ name, ph, pid, tid }) =>
            name === 'RunTask' && ph === 'X' && threads.has(`${pid} ${tid}`),
        )
        // The two clocks are not read at one time: no task has worked for longer than it took.
        .map(({ tdur = Number.NaN, dur = 0 }) => ({
          ...{ processorMs: Math.min(tdur, dur) / 1000, wallMs: dur / 1000 },
        }))
        .toSorted((a, b) => b.processorMs - a.processorMs)
    );
  };
}
