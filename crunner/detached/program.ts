import type { ProcessUsage } from './journal.ts';

/** What is to be run in a session of its own, without input and with its output going to files. */
export interface Program {
  /** File and arguments, the first of which is the name the program is told it has. */
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Files that take the two output streams; appended to, made where they are missing. */
  readonly out: string;
  readonly err: string;
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
