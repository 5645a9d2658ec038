import { isUtf8 } from 'node:buffer';
import type { Job, OutputPiece } from '../client/index.ts';
import { clockText, exactClock } from '../terminal/wallClock.ts';
import { lastPieces } from './lastPieces.ts';
import type { Session } from './session.ts';

/** How what a job writes is shown. */
export interface ShowOptions {
  readonly follow: boolean;
  readonly part?: number;
  /** One output alone. */
  readonly stream?: 'stdout' | 'stderr';
  /** Nothing that was written before, in milliseconds since 1970. */
  readonly sinceMs?: number;
  /** Of what there is, the last lines alone. */
  readonly tail?: number;
  /** The clock before each line. */
  readonly hasTimes?: boolean;
  /** Before each line: which job it is of. */
  readonly prefix?: string;
  /** An object of JSON for each piece, on stdout. */
  readonly isJson?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Writes what a job writes: its stdout to stdout, its stderr to stderr, byte for byte, unless times or a prefix were asked
 * for. A terminal shows stderr in another colour. With `follow` it ends when the job has ended, whatever becomes of the
 * connection meanwhile.
 */
export async function showOutput(session: Session, job: Job, options: ShowOptions): Promise<void> {
  const { patient, client, streams } = session;
  const { part, follow, stream, sinceMs, tail, signal } = options;
  const writer = writerFor(session, job, options);
  const isWanted = (piece: OutputPiece) =>
    (stream === undefined || piece.stream === stream) &&
    (sinceMs === undefined || piece.time === undefined || Date.parse(piece.time) >= sinceMs);
  const where = { ...(part === undefined ? {} : { part }), signal };
  let after: string | undefined;
  if (tail !== undefined) {
    const found = await lastPieces(client, job, { ...where, lines: tail, isWanted });
    for (const piece of found.pieces) writer.write(piece);
    after = found.last;
    if (!follow) {
      writer.end();
      return;
    }
  }
  const pieces = (follow ? patient : client).pieces(job, {
    ...{ ...where, follow, onLost: (pauseMs: number) => tellLost(session, pauseMs) },
    ...(after === undefined ? {} : { after }),
  });
  try {
    for await (const piece of pieces) {
      if (!isWanted(piece)) continue;
      writer.write(piece);
      await (piece.stream === 'stdout' ? streams.out : streams.err).ready();
    }
  } finally {
    // Also what an unfinished line holds when somebody leaves.
    writer.end();
  }
}

interface Writer {
  write(piece: OutputPiece): void;
  end(): void;
}

function writerFor(session: Session, job: Job, options: ShowOptions): Writer {
  if (options.isJson === true) return jsonWriter(session, job);
  const writers = {
    stdout: writerTo(session, 'stdout', options),
    stderr: writerTo(session, 'stderr', options),
  };
  return {
    write: (piece) => writers[piece.stream].write(piece),
    end() {
      writers.stdout.end();
      writers.stderr.end();
    },
  };
}

/** With the names of the API, and the job that it is of. */
function jsonWriter({ streams }: Session, { id: job }: Job): Writer {
  return {
    write({ part, stream, offset, time = null, bytes }) {
      const content = isUtf8(bytes)
        ? { text: new TextDecoder().decode(bytes) }
        : { base64: Buffer.from(bytes).toString('base64') };
      streams.out.line(JSON.stringify({ job, part, stream, offset, time, ...content }));
    },
    end() {},
  };
}

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
      return { write: ({ bytes }) => sink.write(bytes), end() {} };
    }
    return {
      write({ bytes }) {
        sink.write('\u001b[33m');
        sink.write(bytes);
        sink.write('\u001b[39m');
      },
      end() {},
    };
  }
  const decoder = new TextDecoder();
  let isAtStart = true;
  // Lines of several jobs come between each other whole.
  let rest = '';
  const shownAs = (text: string, time: string | undefined) => {
    const clock = hasTimes && time !== undefined ? `${exactClock(Date.parse(time))} ` : '';
    const head = style.dim(`${prefix}${clock}`);
    let shown = '';
    for (const line of text.split(/(?<=\n)/)) {
      if (line === '') continue;
      const isEnded = line.endsWith('\n');
      const body = isEnded ? line.slice(0, -1) : line;
      const looked = look === undefined ? body : look(body);
      shown += `${isAtStart ? head : ''}${looked}${isEnded ? '\n' : ''}`;
      isAtStart = isEnded;
    }
    return shown;
  };
  return {
    write({ bytes, time }) {
      let text = rest + decoder.decode(bytes, { stream: true });
      const whole =
        prefix === '' || text.length > MOST_HELD ? text.length : text.lastIndexOf('\n') + 1;
      rest = text.slice(whole);
      text = text.slice(0, whole);
      if (text !== '') sink.write(shownAs(text, time));
    },
    end() {
      if (rest !== '') sink.write(shownAs(`${rest}\n`, undefined));
    },
  };
}

/** An unfinished line that is longer than this is shown as far as it has come. */
const MOST_HELD = 64 * 1024;

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
