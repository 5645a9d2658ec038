import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { register } from '../helpers/scope.ts';

function run(...[program = '', ...args]: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** Takes a mount away also when something still works there. */
export function unmount(folder: string): void {
  run('umount', '-l', folder);
}

function mounted(folder: string, ...args: readonly string[]): boolean {
  if (!run('mount', ...args, folder)) return false;
  register({ left: () => undefined, dispose: () => unmount(folder) });
  return true;
}

/** A small disk of its own in a new folder; false where this user may not mount. */
export function mountSmallDisk(folder: string, mebi: number): boolean {
  mkdirSync(folder);
  return mounted(folder, '-t', 'tmpfs', '-o', `size=${mebi}m,mode=700`, 'tmpfs');
}

/** Makes a folder read-only, with what is below it; false where this user may not mount. */
export function makeReadOnly(folder: string): boolean {
  if (!mounted(folder, '--bind', folder)) return false;
  // As long as somebody writes there, who came in between, the system refuses.
  return Array.from({ length: 50 }).some(() => run('mount', '-o', 'remount,ro,bind', folder));
}

/** Lets a disk of `mountSmallDisk` be written, or not. */
export function setWritable(disk: string, writable: boolean): boolean {
  return run('mount', '-o', `remount,${writable ? 'rw' : 'ro'}`, disk);
}

/** Whether mounts can be made here: root can, but not in every container. */
export function canMount(folder: string): boolean {
  const can = mountSmallDisk(folder, 1);
  if (can) unmount(folder);
  return can;
}
