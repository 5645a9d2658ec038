import type Docker from 'dockerode';
import { logText } from './logText.ts';

/** How many lines the end of a long output is looked for in: enough for the limit unless the lines are very short. */
const TAIL_LINES = 20_000;

/**
 * What a container (`/containers/ID/logs`) or a task (`/tasks/ID/logs`) has written, at most `limitBytes` of it: all, or the
 * first and the last half with a note between. Never holds much more than that.
 */
export async function cappedLogs(
  docker: Docker,
  path: string,
  { tty, limitBytes }: { readonly tty: boolean; readonly limitBytes: number },
): Promise<string> {
  const read = (query: string, limit: number, keep: 'first' | 'last') =>
    openLogs(docker, `${path}?stdout=1&stderr=1${query}`).then((stream) =>
      collect(stream, limit, keep),
    );
  // Each frame of 8 bytes head carries at least one byte of text, usually a line.
  const frames = tty ? 1 : 2;
  const whole = await read('', limitBytes * frames + 1, 'first');
  const text = logText(whole.bytes, tty);
  if (whole.isAll && Buffer.byteLength(text) <= limitBytes) return text;
  const half = Math.floor(limitBytes / 2);
  const head = Buffer.from(text).subarray(0, half).toString('utf8');
  const end = await read(`&tail=${TAIL_LINES}`, limitBytes * 16, tty ? 'last' : 'first');
  const tail = Buffer.from(logText(end.bytes, tty)).subarray(-half).toString('utf8');
  return `${head}\n[… the middle is left out: only ${limitBytes} bytes are kept …]\n${tail}`;
}

/** dockerode's own logs() would parse output that happens to be JSON; as a stream the bytes stay bytes. */
function openLogs(docker: Docker, path: string): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    const options = {
      path,
      method: 'GET',
      isStream: true,
      statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
    };
    docker.modem.dial(options, (error: unknown, body: unknown) => {
      if (error) reject(error);
      else resolve(body as NodeJS.ReadableStream); // what `isStream` promises
    });
  });
}

async function collect(
  stream: NodeJS.ReadableStream,
  limitBytes: number,
  keep: 'first' | 'last',
): Promise<{ readonly bytes: Buffer; readonly isAll: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = chunk as Buffer;
    chunks.push(bytes);
    size += bytes.length;
    if (size <= limitBytes) continue;
    if (keep === 'first') return { bytes: Buffer.concat(chunks), isAll: false };
    for (let first = chunks[0]; first && size - first.length > limitBytes; first = chunks[0]) {
      chunks.shift();
      size -= first.length;
    }
  }
  return { bytes: Buffer.concat(chunks), isAll: true };
}
