import type { Job } from '../client/index.ts';
import { LiveLines } from '../terminal/liveLines.ts';
import type { Words } from './flagWords.ts';
import { untilInterrupted } from './follow.ts';
import { listJobs } from './listJobs.ts';
import { jobLine, jobLines, printForm } from './printJobs.ts';
import type { Session } from './session.ts';
import { INTERRUPTED } from './verbExit.ts';

/** Changes come in crowds; a list is asked for so often at most. */
const REDRAW_MS = 250;
/** Ages and times go on without a change. */
const TICK_MS = 1000;

/** `pman ls -w`: the list as it changes; in a pipe a line for each change. It ends with Ctrl-C. */
export async function watchJobs(session: Session, words: Words): Promise<number> {
  const { patient, streams, speech } = session;
  const form = printForm(words);
  const { out, signs } = streams;
  const watch = untilInterrupted();
  const { signal } = watch;
  const isDrawn = out.canRedraw && form.kind === 'table';
  const lines = new LiveLines({ write: (text) => out.write(text), columns: () => out.columns() });
  let known = new Map<string, string>();
  let list = await listJobs(session, words);
  let fetchedAt = Date.now();
  const show = () => {
    const nowMs = list.nowMs + Date.now() - fetchedAt;
    const listed = list.jobs.map((job) => ({ job }));
    if (isDrawn) {
      const room = Math.max(1, out.rows() - 2);
      const shown = jobLines(session, listed, form, nowMs).slice(0, room);
      const foot = speech.dim(`${list.jobs.length} of ${list.total} ${signs.dot} Ctrl-C ends`);
      lines.draw([...shown, foot]);
      return;
    }
    const changed = list.jobs.filter((job) => known.get(job.id) !== standOf(job));
    known = new Map(list.jobs.map((job) => [job.id, standOf(job)]));
    if (form.kind === 'table') {
      const once = { ...form, hasHeader: form.hasHeader && isFirst };
      for (const line of jobLines(
        session,
        changed.map((job) => ({ job })),
        once,
        nowMs,
      ))
        out.line(line);
    } else {
      for (const job of changed) out.line(jobLine(job, form));
    }
    isFirst = false;
  };
  let isFirst = true;
  let isStale = false;
  const again = async () => {
    isStale = false;
    list = await listJobs({ ...session, client: patient }, words);
    fetchedAt = Date.now();
    show();
  };
  const ticks = isDrawn ? setInterval(show, TICK_MS) : undefined;
  let pending: Promise<void> | undefined;
  try {
    show();
    // What happened while the first list came in is in the next one.
    isStale = true;
    const events = patient.events({}, { signal });
    const refresh = async () => {
      while (isStale) {
        await again();
        await new Promise((resolve) => setTimeout(resolve, REDRAW_MS));
      }
      pending = undefined;
    };
    pending = refresh();
    for await (const _ of events) {
      isStale = true;
      pending ??= refresh();
    }
    return 0;
  } catch (error) {
    if (watch.interrupt() === undefined) throw error;
    return INTERRUPTED;
  } finally {
    clearInterval(ticks);
    await pending?.catch(() => undefined);
    watch.stop();
  }
}

const standOf = ({ state, place, exitCode }: Job) => `${state} ${place} ${exitCode}`;
