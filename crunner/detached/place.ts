import { messageOf } from '../../lib/errors.ts';
import { inheritedOpenFiles, inheritedVariables } from '../../lib/host/inherited.ts';

/** What a server hands down to its jobs, as a runner has it that an earlier server has started. */
export interface Place {
  readonly cwd: string;
  readonly umask: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How many files they may have open; undefined: as many as the runner. */
  readonly openFiles?: number | undefined;
}

let openFiles: number | undefined;

/** The soft limit of open files that the next job starts with; undefined: this process's. */
export function jobOpenFiles(): number | undefined {
  return openFiles;
}

/** What this process has from the one that started it, without what is its own. */
export function ownPlace(): Place {
  return {
    ...{ cwd: process.cwd(), umask: process.umask() },
    ...{ env: inheritedVariables(process.env), openFiles: inheritedOpenFiles() },
  };
}

/** Takes over what children inherit. A folder that is gone since keeps the old one. */
export function moveTo({ cwd, umask, env, openFiles: files }: Place): void {
  try {
    process.chdir(cwd);
  } catch (error) {
    console.error(`cannot work in ${cwd}: ${messageOf(error)}`);
  }
  process.umask(umask);
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  openFiles = files;
}
