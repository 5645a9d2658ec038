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
  const write = writerFor(session, job, options);
  const isWanted = (piece: OutputPiece) =>
    (stream === undefined || piece.stream === stream) &&
    (sinceMs === undefined || piece.time === undefined || Date.parse(piece.time) >= sinceMs);
  const where = { ...(part === undefined ? {} : { part }), signal };
  let after: string | undefined;
  if (tail !== undefined) {
    const found = await lastPieces(client, job, { ...where, lines: tail, isWanted });
    found.pieces.forEach(write);
    after = found.last;
    if (!follow) return;
  }
  const pieces = (follow ? patient : client).pieces(job, {
    ...{ ...where, follow, onLost: (pauseMs: number) => tellLost(session, pauseMs) },
    ...(after === undefined ? {} : { after }),
  });
  for await (const piece of pieces) {
    if (!isWanted(piece)) continue;
    write(piece);
    await (piece.stream === 'stdout' ? streams.out : streams.err).ready();
  }
}

type Writer = (piece: OutputPiece) => void;

function writerFor(session: Session, job: Job, options: ShowOptions): Writer {
  if (options.isJson === true) return jsonWriter(session, job);
  const writers = {
    stdout: writerTo(session, 'stdout', options),
    stderr: writerTo(session, 'stderr', options),
  };
  return (piece) => writers[piece.stream](piece);
}

/** With the names of the API, and the job that it is of. */
function jsonWriter({ streams }: Session, { id: job }: Job): Writer {
  return ({ part, stream, offset, time = null, bytes }) => {
    const content = isUtf8(bytes)
      ? { text: new TextDecoder().decode(bytes) }
      : { base64: Buffer.from(bytes).toString('base64') };
    streams.out.line(JSON.stringify({ job, part, stream, offset, time, ...content }));
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
