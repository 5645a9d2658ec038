import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { systemErrorCode } from '../errors.ts';
import type { ProcessIdentity } from './processes.ts';

/** What proc(5) tells of a process. */
export interface ProcessEntry extends Required<ProcessIdentity> {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** Not stdin: what copies a pipe has it there. */
const STREAMS = [1, 2];

/** All processes but this one; none where there is no /proc. */
export function readProcesses(): readonly ProcessEntry[] {
  return processNumbers()
    .map(readProcess)
    .filter((entry) => entry !== undefined);
}

/** The numbers of all processes but this one; none where there is no /proc. */
export function processNumbers(): readonly number[] {
  try {
    const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return names.map(Number).filter((pid) => pid !== process.pid);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []; // no /proc here: the group is all that is known
    throw error;
  }
}

/** What proc(5) has of a process in `stat`, from the third field on; undefined when it has ended. */
export function statFields(pid: number): readonly string[] | undefined {
  const stat = ofProcess(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // The second field is the program's name in brackets and may hold anything, brackets too.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** What is told of one process; undefined when it has ended. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const fields = statFields(pid);
  if (fields === undefined) return undefined;
  const [, parent, group, session] = fields.map(Number);
  if (parent === undefined || group === undefined || session === undefined) return undefined;
  return { pid, parent, group, session, ticks: fields[19] ?? '' };
}

/** Whether one of its output streams leads to one of these pipes, as /proc names them. */
export function hasOneOf(pid: number, pipes: readonly string[]): boolean {
  return STREAMS.some((fd) => {
    const target = ofProcess(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
    return target !== undefined && pipes.includes(target);
  });
}

/**
 * Whether its program was started with a variable (`NAME=value`); undefined where that cannot be told, or not yet: one that
 * is being started has no variables for a moment.
 */
export function hasVariable(pid: number, variable: string): boolean | undefined {
  const environment = ofProcess(() => readFileSync(`/proc/${pid}/environ`, 'latin1')) ?? '';
  if (environment === '') return undefined;
  return `\0${environment}`.includes(`\0${variable}\0`);
}

/** The name of its program, at most 15 characters; empty when it has ended. */
export function nameOf(pid: number): string {
  return ofProcess(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd()) ?? '';
}

/**
 * Whether a signal that was sent has still to have its effect on a process: it waits until that runs, or is about to end it.
 * What neither catches nor ignores nor blocks it ends by it, but a moment after it does not wait any more (proc(5), `status`).
 * @param signal one that ends a process, unless that has decided otherwise
 */
export function isYetToAct(pid: number, signal: NodeJS.Signals): boolean {
  const status = ofProcess(() => readFileSync(`/proc/${pid}/status`, 'latin1')) ?? '';
  if (status === '' || /^State:\s*[ZX]/m.test(status)) return false;
  const bit = 1n << BigInt(constants.signals[signal] - 1);
  const isIn = (...names: readonly string[]) =>
    names.some((name) => {
      const set = new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
      return (BigInt(`0x${set}`) & bit) !== 0n;
    });
  return !isIn('SigBlk') && (isIn('SigPnd', 'ShdPnd') || !isIn('SigCgt', 'SigIgn'));
}

/** Sends a signal to a process that may have ended, or may be another user's. */
export function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!['ESRCH', 'EPERM'].includes(systemErrorCode(error) ?? '')) throw error;
  }
}

/** What is read of a process; undefined when that has ended, is another user's, or has nothing of that kind. */
export function ofProcess<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}
