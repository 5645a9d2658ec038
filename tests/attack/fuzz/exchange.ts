import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mutant } from './mutate.ts';

/** What became of a request. */
export interface Outcome {
  /** Of the final answer; 0 without one. */
  readonly status: number;
  /** The beginning of what came. */
  readonly answer: string;
  /** The server closed the connection. */
  readonly closed: boolean;
}

/** What is looked at of an answer, in bytes. */
const LOOKED_AT = 64 * 1024;
/** A request that is no whole one may have no answer. */
const PATIENCE_MS = 100;
/** A whole one must have one. */
const ANSWER_MS = 60_000;

/** Sends a request on a connection of its own and waits for the head of its answer. */
export async function exchange(port: number, { bytes, cuts, isWhole }: Mutant): Promise<Outcome> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  let closed = false;
  const settled = new Promise<void>((resolve) => {
    const end = () => {
      closed = true;
      resolve();
    };
    socket.on('data', (chunk) => {
      if (text.length < LOOKED_AT) text += chunk.toString('latin1');
      if (statusOf(text) > 0) resolve();
    });
    socket.on('end', end).on('close', end).on('error', end);
  });
  let at = 0;
  for (const size of cuts) {
    socket.write(bytes.subarray(at, at + size));
    at += size;
    await sleep(1);
  }
  socket.write(bytes.subarray(at));
  const timer = new AbortController();
  const late = sleep(isWhole ? ANSWER_MS : PATIENCE_MS, undefined, { signal: timer.signal }).catch(
    () => undefined,
  );
  await Promise.race([settled, late]);
  timer.abort();
  socket.destroy();
  return { status: statusOf(text), answer: text, closed };
}

/** The status of the first answer that is no interim one. */
function statusOf(text: string): number {
  let rest = text;
  for (;;) {
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(rest)?.[1] ?? 0);
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    if (status >= 200) return status;
    if (status === 0) return 0;
    rest = rest.slice(end + 4);
  }
}
