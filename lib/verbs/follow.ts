import type { Job, OutputPiece } from '../client/index.ts';
import { tookText } from '../terminal/amounts.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { clockText, exactClock } from '../terminal/wallClock.ts';
import { type Interrupt, onInterrupts } from './interrupts.ts';
import { inStateColour, nameOf, shortId, signInColour, stateText, tookMs } from './jobText.ts';
import type { Session } from './session.ts';

/** How what a job writes is shown. */
export interface ShowOptions {
  readonly follow: boolean;
  readonly part?: number;
  /** One output alone. */
  readonly stream?: 'stdout' | 'stderr';
  /** Nothing that was written before, in milliseconds since 1970. */
  readonly sinceMs?: number;
  /** The clock before each line. */
  readonly hasTimes?: boolean;
  /** Before each line: which job it is of. */
  readonly prefix?: string;
  readonly signal: AbortSignal;
}

/**
 * Writes what a job writes: its stdout to stdout, its stderr to stderr, byte for byte, unless times or a prefix were asked
 * for. A terminal shows stderr in another colour. With `follow` it ends when the job has ended, whatever becomes of the
 * connection meanwhile.
 */
export async function showOutput(session: Session, job: Job, options: ShowOptions): Promise<void> {
  const { patient, client, streams } = session;
  const { part, follow, stream, sinceMs, signal } = options;
  const writers = {
    stdout: writerTo(session, 'stdout', options),
    stderr: writerTo(session, 'stderr', options),
  };
  const pieces = (follow ? patient : client).pieces(job, {
    ...(part === undefined ? {} : { part }),
    ...{ follow, signal, onLost: (pauseMs: number) => tellLost(session, pauseMs) },
  });
  for await (const piece of pieces) {
    if (stream !== undefined && piece.stream !== stream) continue;
    if (sinceMs !== undefined && piece.time !== undefined && Date.parse(piece.time) < sinceMs)
      continue;
    writers[piece.stream](piece);
    await (piece.stream === 'stdout' ? streams.out : streams.err).ready();
  }
}

type Writer = (piece: OutputPiece) => void;

function writerTo(session: Session, stream: 'stdout' | 'stderr', options: ShowOptions): Writer {
  const { streams, style, speech } = session;
  const sink = stream === 'stdout' ? streams.out : streams.err;
  const { hasTimes = false, prefix = '' } = options;
  const look = stream === 'stdout' ? undefined : speech.yellow;
  if (!hasTimes && prefix === '') {
    // Both are shown on one terminal: colour tells them apart.
    if (
      look === undefined ||
      !streams.out.isTerminal ||
      !streams.err.isTerminal ||
      look('x') === 'x'
    ) {
      return ({ bytes }) => sink.write(bytes);
    }
    return ({ bytes }) => {
      sink.write('\u001b[33m');
      sink.write(bytes);
      sink.write('\u001b[39m');
    };
  }
  const decoder = new TextDecoder();
  let isAtStart = true;
  return ({ bytes, time }) => {
    const text = decoder.decode(bytes, { stream: true });
    const clock = hasTimes && time !== undefined ? `${exactClock(Date.parse(time))} ` : '';
    const head = `${style.dim(prefix)}${style.dim(clock)}`;
    let shown = '';
    for (const line of text.split(/(?<=\n)/)) {
      if (line === '') continue;
      const isEnded = line.endsWith('\n');
      const body = isEnded ? line.slice(0, -1) : line;
      shown += `${isAtStart ? head : ''}${look === undefined ? body : look(body)}${isEnded ? '\n' : ''}`;
      isAtStart = isEnded;
    }
    sink.write(shown);
  };
}

function tellLost({ streams, speech }: Session, pauseMs: number): void {
  const { err, signs } = streams;
  if (!err.isTerminal) return;
  const again = `again in ${Math.max(1, Math.round(pauseMs / 1000))} s`;
  err.line(
    speech.dim(
      speech.yellow(`${signs.rule} connection lost ${clockText(Date.now())} ${signs.dot} ${again}`),
    ),
  );
}

/** `7f3a9c train-lr0.001`: how a line of speech begins. */
export const titleOf = (job: Job) => `${shortId(job.id)} ${oneLine(nameOf(job))}`;

/** `ok after 8m51s`, `failed 2 after 12 s`: how a job has ended. */
export function endText(job: Job): string {
  const took = tookMs(job, Date.now());
  return `${stateText(job)}${took === undefined ? '' : ` after ${took < 60_000 ? `${Math.round(took / 1000)} s` : tookText(took)}`}`;
}

/** The line that says how a followed job has ended, and what to do next. */
export function endLine({ streams, speech }: Session, job: Job): string {
  const { signs } = streams;
  const id = shortId(job.id);
  const end = inStateColour(speech, job.state, `${id} ${endText(job)}`);
  const next = job.state === 'succeeded' ? [] : [`pman show ${id}`, `pman rerun ${id}`];
  const rest = next.map((line) => speech.dim(` ${signs.dot} ${line}`)).join('');
  return `${signInColour(speech, signs, job.state)} ${end}${rest}`;
}

/** What was asked for by a signal while something was followed. */
export interface Watch {
  readonly signal: AbortSignal;
  /** The signal that has ended it. */
  readonly interrupt: () => Interrupt | undefined;
  stop(): void;
}

/** Until Ctrl-C. A second one ends this process at once. */
export function untilInterrupted(): Watch {
  const stopper = new AbortController();
  let first: Interrupt | undefined;
  const stop = onInterrupts(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal, count) => {
    if (count > 1) process.exit(130);
    first = signal;
    stopper.abort();
  });
  return { signal: stopper.signal, interrupt: () => first, stop };
}
