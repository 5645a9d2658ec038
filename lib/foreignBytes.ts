import { readFileSync, readlinkSync } from 'node:fs';
import { systemErrorCode, UsageError } from './errors.ts';

/** What Node has in the place of bytes that are not UTF-8. */
const REPLACED = '\ufffd';

const HINT =
  'it would become another one; in a line for a shell "$(printf \'\\377\')" makes such bytes where it runs';

/**
 * Refuses words of the command line that are not UTF-8: Node has changed them, and they would name other files, or be
 * other arguments. The system shows them as they were (Linux; elsewhere nothing is refused).
 * @param argv the end of the command line of this process
 * @throws UsageError
 */
export function refuseForeignWords(argv: readonly string[]): void {
  if (!argv.some((word) => word.includes(REPLACED))) return;
  const all = partsOf('/proc/self/cmdline');
  const words = all?.slice(-argv.length) ?? [];
  if (words.length < argv.length) return;
  for (const [i, word] of argv.entries()) {
    const bytes = words[i];
    if (bytes !== undefined && isForeign(word, bytes)) {
      throw new UsageError(`the word "${shownBytes(bytes)}" is not UTF-8`, { hint: HINT });
    }
  }
}

/**
 * Refuses a variable of the environment of this process that is not UTF-8.
 * @param value as Node has it
 * @throws UsageError
 */
export function refuseForeignVariable(name: string, value: string | undefined): void {
  if (value?.includes(REPLACED) !== true) return;
  const begin = Buffer.from(`${name}=`);
  const found = partsOf('/proc/self/environ')?.find((part) =>
    part.subarray(0, begin.length).equals(begin),
  );
  const bytes = found?.subarray(begin.length);
  if (bytes === undefined || !isForeign(value, bytes)) return;
  throw new UsageError(`the variable ${name} is not UTF-8: "${shownBytes(bytes)}"`, { hint: HINT });
}

/**
 * The same of each variable that is a setting of pman.
 * @throws UsageError
 */
export function refuseForeignSettings(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('PMAN_')) refuseForeignVariable(name, value);
  }
}

/**
 * The folder that this process works in.
 * @throws UsageError where its path is not UTF-8: Node's path leads to another folder, or to none
 */
export function requireWorkingFolder(): string {
  const path = process.cwd();
  if (!path.includes(REPLACED)) return path;
  const bytes = readIfShown(() => readlinkSync('/proc/self/cwd', { encoding: 'buffer' }));
  if (bytes === undefined || !isForeign(path, bytes)) return path;
  throw new UsageError(`the path of this folder is not UTF-8: "${shownBytes(bytes)}"`, {
    hint: 'it would become another folder: change to one whose path is UTF-8',
  });
}

/** Whether Node has changed it. A text may have the character U+FFFD itself. */
function isForeign(text: string, bytes: Buffer): boolean {
  return bytes.toString() === text && !Buffer.from(text).equals(bytes);
}

/** ASCII as it is, other bytes as a shell writes them in `$'…'`. */
function shownBytes(bytes: Buffer): string {
  return [...bytes]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`,
    )
    .join('');
}

/** What a file holds that ends each part with a zero byte. */
function partsOf(file: string): readonly Buffer[] | undefined {
  const bytes = readIfShown(() => readFileSync(file));
  if (bytes === undefined) return undefined;
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start);
    parts.push(bytes.subarray(start, end < 0 ? bytes.length : end));
    start = end < 0 ? bytes.length : end + 1;
  }
  return parts;
}

/** Undefined where there is no /proc, or none that this process may read. */
function readIfShown(read: () => Buffer): Buffer | undefined {
  try {
    return read();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
