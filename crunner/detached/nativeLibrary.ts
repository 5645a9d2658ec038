import { constants } from 'node:os';
import koffi from 'koffi';

/** The C library of this process. */
export const libc = koffi.load(null);

/** The error of the last call of the C library, by name (`EAGAIN`). */
export function lastError(): string {
  return errorName(koffi.errno());
}

export function errorName(errno: number): string {
  const found = Object.entries(constants.errno).find(([, number]) => number === errno);
  return found?.[0] ?? 'EUNKNOWN';
}

/** The error of a call that was to do this, with the system's `code`. */
export function systemError(doing: string, code = lastError()): Error {
  return Object.assign(new Error(`cannot ${doing}: ${code}`), { code });
}

const signal = libc.func('void *signal(int number, intptr_t handler)');
const SIG_IGN = 1;

/** Has the system throw signals away: also while this process is stopped in one of its calls. */
export function ignoreSignals(names: readonly NodeJS.Signals[]): void {
  for (const name of names) signal(constants.signals[name], SIG_IGN);
}
