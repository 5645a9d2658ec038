import { BadRequestError } from '../lib/errors.ts';
import { nameRefused, type WorkRequest } from '../lib/jobs/container/engine.ts';

/** What engines take for names, and what these look like in words. */
export interface NameForm {
  readonly pattern: RegExp;
  readonly words: string;
}

/** What any engine of Docker's kind takes. */
const ANY_NAME: NameForm = {
  pattern: /^[A-Za-z0-9][\w.-]{0,62}$/,
  words: '1 to 63 letters, digits, "_" or "-", the first a letter or a digit',
};
const KIBI = 1024;
const MEBI = KIBI * KIBI;
/** Docker refuses less. */
const LEAST_MEMORY = 6 * MEBI;

/**
 * Finds what an engine of Docker's kind will refuse, without asking it.
 * @param form what the engine at hand takes for a name
 * @throws BadRequestError
 */
export function refuseImpossible({ name, options }: WorkRequest, form: NameForm): void {
  if (!ANY_NAME.pattern.test(name)) throw nameRefused(name, ANY_NAME.words);
  const { memoryBytes } = options.limits ?? {};
  if (memoryBytes !== undefined && memoryBytes < LEAST_MEMORY) {
    throw new BadRequestError(`run: "meta.memory_limit": ${inUnits(memoryBytes)} is less than 6Mi`);
  }
  if (!form.pattern.test(name)) throw nameRefused(name, form.words);
}

/** As users write it. */
function inUnits(bytes: number): string {
  if (bytes % MEBI === 0) return `${bytes / MEBI}Mi`;
  return bytes % KIBI === 0 ? `${bytes / KIBI}Ki` : String(bytes);
}
