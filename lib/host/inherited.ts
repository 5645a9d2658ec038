import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';

/** What pman is told by, and what opens its engine: a job that has it could act as pman. */
const OWN = /^(?:PMAN|DOCKER)_/;

/** The variables that jobs inherit: all that this process has, but for pman's own. */
export function inheritedVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OWN.test(name)));
}

interface OpenFilesLimit {
  readonly soft: string;
  readonly hard: string;
}

/**
 * How many files jobs may have open, where that is less than this process may: Node raises its own limit to the hard one
 * when it starts, so that the limit of the process that started this one is taken. Undefined where that tells nothing:
 * it has ended, or this process was given another hard limit.
 */
export function inheritedOpenFiles(): number | undefined {
  const own = openFilesLimit(process.pid);
  const starter = openFilesLimit(process.ppid);
  if (own === undefined || starter === undefined || own.hard !== starter.hard) return undefined;
  const soft = Number(starter.soft);
  return Number.isSafeInteger(soft) && starter.soft !== own.soft ? soft : undefined;
}

function openFilesLimit(pid: number): OpenFilesLimit | undefined {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
    const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
    return soft === undefined || hard === undefined ? undefined : { soft, hard };
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}
