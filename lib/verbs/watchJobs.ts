import { setTimeout } from 'node:timers/promises';
import { cutEnd } from '../terminal/cutText.ts';
import { LiveLines } from '../terminal/liveLines.ts';
import type { Words } from './flagWords.ts';
import { untilCtrlC } from './interrupts.ts';
import { type Found, listJobs } from './listJobs.ts';
import { jobLine, jobLines, type PrintForm, printForm } from './printJobs.ts';
import type { Session } from './session.ts';
import type { ShownJob } from './shownJob.ts';

/** Changes come in crowds; a list is asked for so often at most. */
const REDRAW_MS = 250;
/** Ages and times go on without a change. */
const TICK_MS = 1000;

/** `pman ls -w`: the list as it changes; in a pipe a line for each change. It ends with Ctrl-C. */
export function watchJobs(session: Session, words: Words): Promise<number> {
  const { client, patient } = session;
  const form = printForm(words);
  const { show, tick } = shownOn(session, form);
  return untilCtrlC(async (interrupted) => {
    const stopper = new AbortController();
    const signal = AbortSignal.any([interrupted, stopper.signal]);
    // What happens from here on is told by the events; the first list may know of it already.
    const { newest } = (await client.server({ signal })).events;
    show(await listJobs(session, words, form, { mayBeNone: true }));
    const ticks = setInterval(tick, TICK_MS);
    let isStale = false;
    let isRefreshing = false;
    const refresh = async () => {
      isRefreshing = true;
      while (isStale) {
        isStale = false;
        show(await listJobs({ ...session, client: patient }, words, form, { mayBeNone: true }));
        await setTimeout(REDRAW_MS, undefined, { signal });
      }
      isRefreshing = false;
    };
    try {
      for await (const _ of patient.events({ after: newest }, { signal })) {
        isStale = true;
        if (!isRefreshing) void refresh().catch((error: unknown) => stopper.abort(error));
      }
    } finally {
      clearInterval(ticks);
    }
    return 0;
  });
}

/** How a list that changes is shown: drawn over on a terminal, else as lines for what has changed. */
function shownOn(session: Session, form: PrintForm) {
  const { streams, speech } = session;
  const { out, signs } = streams;
  const lines = new LiveLines({ write: (text) => out.write(text), columns: () => out.columns() });
  let found: Found | undefined;
  let foundAt = 0;
  let known = new Map<string, string>();
  let isFirst = true;
  const nowMs = ({ nowMs: then }: Found) => then + Date.now() - foundAt;
  const draw = (list: Found, table: PrintForm & { kind: 'table' }) => {
    const room = Math.max(1, out.rows() - 2);
    const listed = list.jobs.map((job) => ({ job }));
    const shown = jobLines(session, listed, table, nowMs(list)).slice(0, room);
    const foot = `${list.jobs.length} of ${list.total} ${signs.dot} Ctrl-C ends`;
    lines.draw([...shown, speech.dim(cutEnd(foot, out.columns() - 1))]);
  };
  const append = (list: Found) => {
    const changed = list.jobs.filter((job) => known.get(job.id) !== standOf(job));
    known = new Map(list.jobs.map((job) => [job.id, standOf(job)]));
    if (form.kind !== 'table') {
      for (const job of changed) out.line(jobLine(job, form));
      return;
    }
    const listed = changed.map((job) => ({ job }));
    const table = { ...form, hasHeader: form.hasHeader && isFirst };
    for (const line of jobLines(session, listed, table, nowMs(list))) out.line(line);
    isFirst = false;
  };
  const isDrawn = out.canRedraw && form.kind === 'table';
  return {
    show(list: Found) {
      found = list;
      foundAt = Date.now();
      if (out.canRedraw && form.kind === 'table') draw(list, form);
      else append(list);
    },
    /** Times go on without a change. */
    tick() {
      if (isDrawn && found !== undefined) draw(found, form);
    },
  };
}

const standOf = ({ state, place, exitCode }: ShownJob) => `${state} ${place} ${exitCode}`;
