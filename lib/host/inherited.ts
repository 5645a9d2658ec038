import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { systemErrorCode } from '../errors.ts';

/** What pman is told by, and what opens its engine: a job that has it could act as pman. */
const OWN = /^(?:PMAN|DOCKER)_/;

/** The variables that jobs inherit: all that this process has, but for pman's own. */
export function inheritedVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OWN.test(name)));
}

/** A limit of setrlimit(2): numbers, or `unlimited`. */
export interface ResourceLimit {
  readonly soft: string;
  readonly hard: string;
}

/** What the system hands from a process to its children, beside variables, folder and umask. */
export interface Inheritance {
  /** By the system's names: `Max open files`. */
  readonly limits: Readonly<Record<string, ResourceLimit>>;
  readonly nice: number;
  /** How soon it is ended when the machine has no memory left (proc(5), oom_score_adj). */
  readonly oomScoreAdj: string | undefined;
  /** Its control groups, as in /proc/self/cgroup. */
  readonly groups: readonly string[];
}

/** What children of this process get. */
export function ownInheritance(): Inheritance {
  const groups = readText('/proc/self/cgroup') ?? '';
  return {
    limits: limitsOf(process.pid),
    nice: getPriority(),
    oomScoreAdj: readText('/proc/self/oom_score_adj')?.trim(),
    groups: groups.split('\n').filter((line) => line !== ''),
  };
}

const OPEN_FILES = 'Max open files';

/**
 * How many files jobs may have open, where that is less than this process may: Node raises its own limit to the hard one
 * when it starts, so that the limit of the process that started this one is taken. Undefined where that tells nothing:
 * it has ended, or this process was given another hard limit.
 */
export function inheritedOpenFiles(): number | undefined {
  const own = limitsOf(process.pid)[OPEN_FILES];
  const starter = limitsOf(process.ppid)[OPEN_FILES];
  if (own === undefined || starter === undefined || own.hard !== starter.hard) return undefined;
  const soft = Number(starter.soft);
  return Number.isSafeInteger(soft) && starter.soft !== own.soft ? soft : undefined;
}

/** How many files this process may have open; undefined where the system does not tell, or sets no limit. */
export function ownOpenFiles(): number | undefined {
  const soft = Number(limitsOf(process.pid)[OPEN_FILES]?.soft);
  return Number.isSafeInteger(soft) ? soft : undefined;
}

function limitsOf(pid: number): Readonly<Record<string, ResourceLimit>> {
  const lines = readText(`/proc/${pid}/limits`) ?? '';
  const found = lines.matchAll(/^(Max \S+(?: \S+)*)\s{2,}(\S+)\s+(\S+)/gm);
  return Object.fromEntries(
    [...found].map(([, name = '', soft = '', hard = '']) => [name, { soft, hard }]),
  );
}

/** Signals that a shell may have been told to ignore for those that it starts, by their numbers. */
const PASSED_ON = { HUP: 1, INT: 2, USR1: 10, USR2: 12, ALRM: 14 } as const;
const SHELLS = new Set(['sh', 'dash', 'bash', 'ash', 'ksh', 'mksh', 'zsh', 'busybox']);

/**
 * The signals that the shell which started this process ignores (`trap '' INT`), and so has its children ignore. Node
 * gives every signal its default meaning when it starts, so that the shell is asked. Left out is what shells ignore for
 * themselves alone (TERM, QUIT and those of terminals).
 */
export function inheritedIgnored(): readonly string[] {
  const status = readText(`/proc/${process.ppid}/status`) ?? '';
  const [, name = ''] = /^Name:\t(.*)$/m.exec(status) ?? [];
  const [, mask = '0'] = /^SigIgn:\t([0-9a-f]+)$/m.exec(status) ?? [];
  if (!SHELLS.has(name)) return [];
  const bits = BigInt(`0x${mask}`);
  const isIgnored = (number: number) => ((bits >> BigInt(number - 1)) & 1n) === 1n;
  return Object.entries(PASSED_ON).flatMap(([signal, number]) =>
    isIgnored(number) ? [signal] : [],
  );
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}
