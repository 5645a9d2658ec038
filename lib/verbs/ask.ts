import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Job } from '../client/index.ts';
import { CannotError } from './failures.ts';
import { titleOf } from './follow.ts';
import type { Session } from './session.ts';
import { WRONG_USE } from './verbExit.ts';

const NAMED = 3;

/**
 * Asks whether something may be done to jobs; without an answer it may not. Nobody is asked where there is no terminal.
 * @param what for example `kill 3 jobs`
 * @throws CannotError (exit code 2) where nobody can be asked
 */
export async function mayDo(
  { streams }: Session,
  what: string,
  jobs: readonly Job[],
): Promise<boolean> {
  const { err, input, signs } = streams;
  const named = jobs.slice(0, NAMED).map(titleOf);
  const list = `${named.join(', ')}${jobs.length > NAMED ? `, ${signs.mark}` : ''}`;
  if (!err.isTerminal || !input.isTTY) {
    throw new CannotError(`${what} (${list}): nothing was done`, ['say -y to do it'], WRONG_USE);
  }
  const reader = createInterface({ input, output: process.stderr, terminal: false });
  err.write(`${what}? ${list} [y/N] `);
  // Whoever listens to Ctrl-C takes it from the rest of the program: only while the question stands.
  const asking = new AbortController();
  const { signal } = asking;
  // Ctrl-C and the end of the input are no answer. What comes too late is aborted, and nobody's concern.
  const answers = [
    once(reader, 'line', { signal }).then(([line]) => String(line)),
    once(reader, 'close', { signal }).then(() => ''),
    once(process, 'SIGINT', { signal }).then(() => ''),
  ];
  const answer = await Promise.race(answers).finally(() => asking.abort());
  reader.close();
  input.unref();
  if (/^\s*y(es)?\s*$/i.test(answer)) return true;
  err.line('nothing was done');
  return false;
}
