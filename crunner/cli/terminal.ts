import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { systemErrorCode } from '../../lib/errors.ts';

/** Whether stdin is a terminal whose input is another job's now, as for `crunner … &`. */
export function isStdinOfOthers(): boolean {
  if (!isatty(0)) return false;
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    // proc(5): pgrp is the fifth field and tpgid the eighth; the second is a name in brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[5]) > 0 && fields[2] !== fields[5];
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false; // no /proc on this system
    throw error;
  }
}
