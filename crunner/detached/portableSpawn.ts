import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { execa } from 'execa';
import { streamFor } from '../command/descriptor.ts';
import type { Program, StartedProgram } from './program.ts';

/**
 * Starts a program where `nativeSpawn` cannot: it takes more time, and does not tell what the program has used. The streams
 * are the program's own, so that it goes on when this process has ended.
 * @throws an error with the system's `code` when it cannot be started
 */
export async function portableSpawn(program: Program): Promise<StartedProgram> {
  const [name = program.file, ...args] = argvOf(program);
  const files: number[] = [];
  const openFile = (file: string | number, flags: 'a' | 'r' = 'a') => {
    if (typeof file === 'number') return streamFor(file);
    const fd = openSync(file, flags, 0o600);
    files.push(fd);
    return streamFor(fd);
  };
  try {
    if (program.mark !== undefined) openFile(program.mark);
    const child = execa(program.file, args, {
      ...{ argv0: name, env: program.env, extendEnv: false, detached: true, cleanup: false },
      stdio: [
        openFile(program.in ?? '/dev/null', 'r'),
        openFile(program.out),
        openFile(program.err),
      ],
      ...{ buffer: false, reject: false },
    });
    const { pid } = child;
    if (pid === undefined) throw (await child).cause;
    return { pid, ended: child.then(exitOf) };
  } finally {
    for (const file of files) closeSync(file);
  }
}

/** A shell sets the limit, and then becomes the program. */
function argvOf({ file, argv, openFiles, maxProcesses }: Program): readonly string[] {
  const limits = [
    ...(openFiles === undefined ? [] : [`ulimit -Sn ${openFiles}`]),
    ...(maxProcesses === undefined ? [] : [`ulimit -Su ${maxProcesses} 2>/dev/null`]),
  ];
  if (limits.length === 0) return argv;
  const script = [...limits, 'exec "$0" "$@"'].join('; ');
  return [file, '-c', script, file, ...argv.slice(1)];
}

function exitOf({ exitCode = 0, signal }: { exitCode?: number; signal?: NodeJS.Signals }) {
  return { returncode: signal === undefined ? exitCode : -constants.signals[signal] };
}
