import { readdirSync, readFileSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';

/** Those that every process has. */
const STREAMS = 3;
/** open(2), as /proc/PID/fdinfo tells it. */
const O_CLOEXEC = 0o2000000;

/**
 * Keeps what this process was given to hold open (`exec 222>secret; pman`) from all that it starts: the lock that a shell has
 * taken would stay as long as a job, and a job of another user could write where only this one may. Node does so when it
 * starts, but only up to the first number that is free. To be called before anything is started.
 *
 * Where nothing was given, which is usual, some small files are read, and the C library is not called.
 * @returns those that are handed down all the same, where the C library cannot be called
 */
export async function keepDescriptors(): Promise<readonly number[]> {
  const open = handedDown();
  if (open.length === 0) return open;
  const close = await closerOnExec();
  return open.filter((fd) => close === undefined || !close(fd));
}

async function closerOnExec(): Promise<((fd: number) => boolean) | undefined> {
  try {
    return (await import('./closeOnExec.ts')).closeOnExec;
  } catch {
    return undefined; // there is no binary of koffi for this machine
  }
}

/** What a child of this process would have beside its streams; nothing on systems other than Linux. */
function handedDown(): readonly number[] {
  try {
    return readdirSync('/proc/self/fd')
      .map(Number)
      .filter((fd) => fd >= STREAMS && isHandedDown(fd));
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return [];
    throw error;
  }
}

function isHandedDown(fd: number): boolean {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
    const [, flags] = /^flags:\s*([0-7]+)$/m.exec(text) ?? [];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch (error) {
    // The one that the folder was read by is closed by now.
    if (systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}
