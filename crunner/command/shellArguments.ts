import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Linux refuses a single argument of 128 KiB, its final NUL included (MAX_ARG_STRLEN). */
const MAX_ARGUMENT_BYTES = 128 * 1024 - 1;

export interface ShellArguments {
  readonly args: readonly string[];
  /** Removes what `args` stands on; call it when the shell has ended. */
  release(): void;
}

/**
 * The arguments with which `/bin/sh` runs a command: the `--` lets it begin with a dash, and a command too long for an
 * argument is read from a file. Throws what the file system throws.
 */
export function shellArguments(cmd: string): ShellArguments {
  if (Buffer.byteLength(cmd) <= MAX_ARGUMENT_BYTES) {
    return { args: ['-c', '--', cmd], release: () => undefined };
  }
  const file = join(tmpdir(), `crunner-${crypto.randomUUID()}.sh`);
  writeFileSync(file, cmd, { mode: 0o600, flag: 'wx' });
  return { args: ['-c', `. ${quote(file)}`], release: () => rmSync(file, { force: true }) };
}

/** One word for a POSIX shell, whatever the text; it cannot hold a NUL. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
