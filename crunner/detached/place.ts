import { messageOf } from '../../lib/errors.ts';
import type { GroupPlace } from '../../lib/host/controlGroups.ts';
import {
  type Inheritance,
  inheritedIgnored,
  inheritedOpenFiles,
  inheritedVariables,
  ownInheritance,
} from '../../lib/host/inherited.ts';
import { type Handover, handover, joinGroups } from './handover.ts';

/** Which jobs get a control group of their own: those with limits that it can hold them to, or all. */
export interface JobGroups {
  readonly place: GroupPlace;
  readonly forAll: boolean;
}

/** What a server hands down to its jobs, as a runner has it that an earlier server has started. */
export interface Place {
  /** The server's process. */
  readonly pid?: number;
  readonly cwd: string;
  readonly umask: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How many files they may have open; undefined: as many as the runner. */
  readonly openFiles?: number | undefined;
  /** The signals that they ignore. */
  readonly ignored?: readonly string[];
  readonly inheritance?: Inheritance;
  readonly jobGroups?: JobGroups | undefined;
}

/** What the next job starts with. */
export interface JobStart {
  /** Its variables; undefined: this process's. They are read once: asking the system for each job takes longer. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The soft limit of open files; undefined: this process's. */
  readonly openFiles?: number | undefined;
  readonly jobGroups?: JobGroups | undefined;
  /** What differs from what this process would hand down. */
  readonly handover: Handover;
}

let jobStart: JobStart = { handover: { steps: [], become: [] } };

/** What the next job starts with. */
export function nextStart(): JobStart {
  return jobStart;
}

/**
 * What this process has from the one that started it, without what is its own.
 * @param jobGroups which jobs get control groups, and where
 */
export function ownPlace(jobGroups?: JobGroups): Place {
  return {
    ...{ pid: process.pid, cwd: process.cwd(), umask: process.umask() },
    ...{ env: inheritedVariables(process.env), openFiles: inheritedOpenFiles() },
    ...{ ignored: inheritedIgnored(), inheritance: ownInheritance(), jobGroups },
  };
}

/** Takes over what children inherit. A folder that is gone since keeps the old one. */
export function moveTo({ cwd, umask, env, openFiles, ignored, inheritance, jobGroups }: Place) {
  try {
    process.chdir(cwd);
  } catch (error) {
    console.error(`cannot work in ${cwd}: ${messageOf(error)}`);
  }
  process.umask(umask);
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  if (inheritance !== undefined) joinGroups(inheritance.groups);
  jobStart = {
    ...{ env: { ...process.env }, openFiles, jobGroups },
    handover: handover({ openFiles, ignored, inheritance }),
  };
}
