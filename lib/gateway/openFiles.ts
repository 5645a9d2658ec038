import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';

/** What a server has open before anybody has connected: ZeroMQ's and Node's own, the database's lock, the runner. */
const OWN_FILES = 28;
const FEWEST_CONNECTIONS = 8;

/**
 * How many connections a server may have at once. Each is an open file, of which the system allows a process only so many
 * (`ulimit -n`): a quarter stays for records, outputs and new processes, so that no number of clients keeps jobs from being
 * run and recorded. (ZeroMQ, too, takes a whole processor when it has no file left to accept a connection with.)
 */
export function connectionLimit(openFiles = openFileLimit()): number {
  return Math.max(Math.floor(openFiles * 0.75) - OWN_FILES, FEWEST_CONNECTIONS);
}

/** Node has raised it to the hard limit; where the system does not tell, none is assumed. */
function openFileLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return Number.POSITIVE_INFINITY;
    throw error;
  }
}
