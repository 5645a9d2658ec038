/**
 * The rights with which a program makes its own folders and files. The umask of the process takes its part as well.
 */
export interface Rights {
  readonly folder: number;
  readonly file: number;
}

/** All rights but those that a umask takes away. */
export function rightsUnder(umask: number): Rights {
  return { folder: 0o777 & ~umask, file: 0o666 & ~umask };
}

/** For the user of this process alone. */
export const PRIVATE = rightsUnder(0o077);
