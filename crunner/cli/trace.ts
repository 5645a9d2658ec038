import { appendFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf, PmanError } from '../../lib/errors.ts';
import { makeFolder } from '../../lib/host/folders.ts';
import { readableStamp } from '../../lib/host/stamps.ts';
import { writeFd } from '../attached/writeFd.ts';
import { complain } from './complain.ts';
import type { Flags } from './flags.ts';

/** Says what goes on; 0 is for everyone who did not ask for silence, 1 for those who asked for more. */
export type Trace = (level: 0 | 1, message: string) => Promise<void>;

/**
 * The original's trace lines: with the time, on stdout, in colour on a terminal. Written here rather
 * than by the family's logger, whose loading takes longer than a quick command.
 * @throws PmanError when the trace file cannot be opened
 */
export function makeTrace({ verbosity, debugToFile, debugFile }: Flags, colour: boolean): Trace {
  const file = debugFile ?? join(homedir(), 'tmp', 'debug-crunner.log');
  if (debugToFile) write(file, '');
  let isRefused = false;
  const note = (line: string) => {
    try {
      write(file, line);
    } catch (error) {
      // The job goes on, whatever becomes of its trace.
      if (!isRefused) complain(messageOf(error));
      isRefused = true;
    }
  };
  return async (level, message) => {
    const line = `${readableStamp(Date.now())} | crunner | ${message}`;
    if (debugToFile) note(`${line}\n`);
    if (verbosity < level) return;
    await writeFd(1, Buffer.from(colour ? `\u001b[0;36m${line}\u001b[0m\n` : `${line}\n`));
  };
}

function write(file: string, text: string): void {
  try {
    if (text === '') makeFolder(dirname(file));
    appendFileSync(file, text);
  } catch (error) {
    throw new PmanError('storage', `cannot write the trace file ${file}: ${messageOf(error)}`);
  }
}
