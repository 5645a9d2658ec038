import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { systemErrorCode } from '../errors.ts';

const madvise = koffi.load(null).func('int madvise(uintptr_t address, size_t length, int advice)');
/** Of madvise(2), on Linux. */
const MADV_DONTNEED = 4;

/** A mapping begins with such a line in smaps: addresses, rights, offset, device, inode, file. */
const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ +(\/.*)$/;
const OTHER_HEAD = /^[0-9a-f]+-[0-9a-f]+ /;

/** A part of memory that shows a file as it is. */
export interface FileMapping {
  readonly start: number;
  readonly length: number;
}

/**
 * The mappings of files of which this process has changed nothing, nor can: they hold what the file holds. A page that was
 * changed has no other copy, and what can be written to may have been.
 * @param smaps as proc(5) shows them
 */
export function unchangedMappings(smaps: string): readonly FileMapping[] {
  const found: FileMapping[] = [];
  let mapping: FileMapping | undefined;
  for (const line of smaps.split('\n')) {
    const [, from = '', to = '', rights = ''] = HEAD.exec(line) ?? [];
    if (from !== '') {
      const start = Number.parseInt(from, 16);
      mapping = rights.includes('w')
        ? undefined
        : { start, length: Number.parseInt(to, 16) - start };
    } else if (OTHER_HEAD.test(line)) mapping = undefined;
    else if (mapping !== undefined && /^Anonymous: +0 kB$/.test(line)) found.push(mapping);
  }
  return found;
}

/**
 * Lets go of the pages of programs and libraries that are in memory. Those that are used again come back one by one, from
 * the memory that the system keeps of files; the others, most of them of the start, count no longer for this process, and
 * the system can use their memory. Does nothing where the system does not tell of its mappings.
 */
export function releaseFilePages(): void {
  for (const { start, length } of unchangedMappings(ownMappings())) {
    // One that is locked in memory stays.
    madvise(start, length, MADV_DONTNEED);
  }
}

function ownMappings(): string {
  try {
    return readFileSync('/proc/self/smaps', 'latin1');
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return ''; // not Linux, or it is hidden
    throw error;
  }
}
