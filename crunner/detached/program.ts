import type { ProcessUsage } from './journal.ts';

/** What is to be run in a session of its own. */
export interface Program {
  /** File and arguments, the first of which is the name the program is told it has. */
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file, or an open descriptor, that it reads as its input; default: empty. */
  readonly in?: string | number;
  /** What takes the two output streams: open descriptors, or files that are appended to and made where they are missing. */
  readonly out: string | number;
  readonly err: string | number;
  /** A file that the process itself makes before it runs the program: it shows that it was started. */
  readonly mark?: string;
  /** How many files it may have open (the soft limit); default: as many as this process. */
  readonly openFiles?: number;
  /** How many processes its user may have; default: as this process. */
  readonly maxProcesses?: number;
}

export interface ProgramExit {
  /** Exit code, or the negative number of the signal that ended it. */
  readonly returncode: number;
  /** Where the system tells. */
  readonly usage?: ProcessUsage;
}

export interface StartedProgram {
  /** Also the number of its session and of its process group. */
  readonly pid: number;
  readonly ended: Promise<ProgramExit>;
}

/** Starts a program; throws, or rejects with, an error with the system's `code` when it cannot. */
export type StartProgram = (program: Program) => StartedProgram | Promise<StartedProgram>;
