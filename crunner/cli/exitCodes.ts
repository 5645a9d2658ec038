import type { SshFailure } from '../ssh/ssh.ts';

/**
 * The exit status when crunner itself fails, as in sysexits.h; a command may end with the same numbers,
 * but without a line that begins with `crunner:` on stderr.
 */
export const EXIT = { usage: 2, noCommand: 64, cannotRun: 71 } as const;

/** The same for `--ssh`. */
export const SSH_EXIT = {
  target: 65,
  command: 65,
  option: 65,
  unreachable: 68,
  remote: 70,
  lost: 74,
  hostkey: 76,
  denied: 77,
} as const satisfies Record<SshFailure, number>;
