import { createHash } from 'node:crypto';
import { isAlive, startTicks } from '../host/processes.ts';

/**
 * How what is kept of transfers is called: `.pfioh-<id>.part` while nobody has it, `.pfioh-<id>-<pid>-<ticks>.part` while a
 * process does. A process takes one by giving it its own name: of two that want the same one, one gets it.
 */
const NAME = /^\.pfioh-([0-9a-f]{32})(?:-(\d+)-(\d*))?\.part$/;

/** The name of what waits for somebody to go on with it. */
export function idleName(id: string): string {
  return `.pfioh-${id}.part`;
}

/** The name of what this process works on. */
export function ownName(id: string): string {
  return `.pfioh-${id}-${process.pid}-${startTicks(process.pid) ?? ''}.part`;
}

/** The transfer that a name is of; undefined for other names. */
export function idIn(name: string): string | undefined {
  return NAME.exec(name)?.[1];
}

/** Whether a process works on it that is not this one. One that was killed has it no longer. */
export function isTaken(name: string): boolean {
  const [, , pid, ticks] = NAME.exec(name) ?? [];
  if (pid === undefined || Number(pid) === process.pid) return false;
  return isAlive({ pid: Number(pid), ...(ticks ? { ticks } : {}) });
}

/** The id of a transfer: what it brings where, and which content of that. */
export function transferId(place: readonly unknown[], content: readonly unknown[]): string {
  return `${half(place)}${half(content)}`;
}

/** Whether two ids are of the same transfer, whatever content they were of. */
export function isSameTransfer(one: string, other: string): boolean {
  return one.slice(0, HALF) === other.slice(0, HALF);
}

const HALF = 16;

function half(what: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, HALF);
}
