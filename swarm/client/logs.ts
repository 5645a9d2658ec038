import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { FollowOptions } from '../../lib/jobs/container/engine.ts';
import { textOf } from './logText.ts';

/** How many lines the end of a long output is looked for in at first: enough unless the lines are short. */
const TAIL_LINES = 20_000;
/** By how much more lines it is looked for in when those were not enough. */
const MORE_LINES = 6;

export interface CappedOptions {
  readonly tty: boolean;
  /** Infinity: all of it. */
  readonly limitBytes: number;
  /** Only what went there; both unless given. */
  readonly stream?: 'stdout' | 'stderr';
}

/**
 * What a container (`/containers/ID/logs`) or a task (`/tasks/ID/logs`) has written, at most `limitBytes` of it: all, or the
 * first and the last half with a note between. Never holds much more than that.
 */
export async function cappedLogs(
  docker: Docker,
  path: string,
  { tty, limitBytes, stream }: CappedOptions,
): Promise<string> {
  const streams = { stdout: stream !== 'stderr', stderr: stream !== 'stdout' };
  const read = async (query: LogsQuery, limit: number, keep: 'first' | 'last') =>
    collect(textOf(await openLogs(docker, path, { ...streams, ...query }), tty), limit, keep);
  const whole = await read({}, limitBytes, 'first');
  if (whole.isAll) return whole.bytes.toString('utf8');
  const half = Math.floor(limitBytes / 2);
  const head = whole.bytes.subarray(0, half).toString('utf8');
  let tail: Buffer = Buffer.alloc(0);
  // A line has one byte at least.
  for (let lines = Math.min(TAIL_LINES, half); ; lines = Math.min(lines * MORE_LINES, half)) {
    tail = (await read({ tail: lines }, half, 'last')).bytes;
    if (tail.length >= half || lines >= half) break;
  }
  return `${head}\n[… the middle is left out: only ${limitBytes} bytes are kept …]\n${tail.toString('utf8')}`;
}

/** Hands on the output of a container from a byte on, as it comes, until the container ends or the signal is given. */
export async function followLogs(
  docker: Docker,
  path: string,
  {
    from,
    signal,
    write,
    tty,
    follow,
  }: Omit<FollowOptions, 'onOpen'> & { readonly tty: boolean; readonly follow: boolean },
): Promise<void> {
  const stream = await openLogs(docker, path, { follow });
  const stop = () => stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let left = from;
  try {
    for await (const bytes of textOf(stream, tty)) {
      if (bytes.length > left) await write(bytes.subarray(left));
      left = Math.max(0, left - bytes.length);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

interface LogsQuery {
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly tail?: number;
  readonly follow?: boolean;
}

/** dockerode's own logs() would parse output that happens to be JSON; as a stream the bytes stay bytes. */
function openLogs(docker: Docker, path: string, query: LogsQuery): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const options = {
      // The query goes apart: without one of its own the client cuts off the last character of the path.
      path: `${path}?`,
      options: { stdout: true, stderr: true, ...query },
      method: 'GET',
      isStream: true,
      statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
    };
    docker.modem.dial(options, (error: unknown, body: unknown) => {
      if (error) reject(error);
      else resolve(body as Readable); // what `isStream` promises
    });
  });
}

/** The first or the last `limitBytes` of some text. */
async function collect(
  text: AsyncIterable<Buffer>,
  limitBytes: number,
  keep: 'first' | 'last',
): Promise<{ readonly bytes: Buffer; readonly isAll: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  let isAll = true;
  for await (const bytes of text) {
    chunks.push(bytes);
    size += bytes.length;
    if (size <= limitBytes) continue;
    isAll = false;
    if (keep === 'first') break;
    for (let first = chunks[0]; first && size - first.length >= limitBytes; first = chunks[0]) {
      chunks.shift();
      size -= first.length;
    }
  }
  const bytes = Buffer.concat(chunks);
  return {
    bytes: keep === 'first' ? bytes.subarray(0, limitBytes) : bytes.subarray(-limitBytes),
    isAll,
  };
}
