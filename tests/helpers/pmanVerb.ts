import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { register } from './scope.ts';
import { checkout, type TestServer } from './startServer.ts';

const program = join(checkout, 'dist/bin/pman.cjs');

export interface VerbEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface VerbOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A `pman …` of a person, on pipes. */
export interface StartedVerb {
  readonly ended: Promise<VerbEnd>;
  readonly shown: () => { readonly stdout: string; readonly stderr: string };
  readonly kill: (signal: NodeJS.Signals) => void;
}

const envOf = (server: Pick<TestServer, 'port' | 'folders'>) => ({
  ...{ PATH: process.env.PATH, HOME: server.folders.home, LANG: 'C.UTF-8', TERM: 'xterm' },
  PMAN_URL: `http://127.0.0.1:${server.port}`,
});

/** Starts a verb that speaks to a server. */
export function startVerb(
  server: Pick<TestServer, 'port' | 'folders'>,
  argv: readonly string[],
  { input, env = {}, cwd = server.folders.cwd }: VerbOptions = {},
): StartedVerb {
  const child = spawn(process.execPath, [program, ...argv], {
    ...{ cwd, env: { ...envOf(server), ...env }, stdio: 'pipe' },
  });
  register({ left: () => undefined, dispose: () => child.kill('SIGKILL') });
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const shown = () => ({
    stdout: Buffer.concat(chunks.stdout).toString(),
    stderr: Buffer.concat(chunks.stderr).toString(),
  });
  const ended = new Promise<VerbEnd>((resolve) => {
    child.once('close', (code) => resolve({ code, ...shown() }));
  });
  return { ended, shown, kill: (signal) => child.kill(signal) };
}

/** Runs a verb to its end. */
export function pmanVerb(
  server: Pick<TestServer, 'port' | 'folders'>,
  argv: readonly string[],
  options?: VerbOptions,
): Promise<VerbEnd> {
  return startVerb(server, argv, options).ended;
}

/** A verb on a terminal of its own: what is typed goes in, what is shown comes out. */
export function verbOnTerminal(
  server: Pick<TestServer, 'port' | 'folders'>,
  line: string,
  {
    columns = 80,
    env = {},
    behind,
  }: {
    readonly columns?: number;
    readonly env?: Record<string, string>;
    /** What the shell does with the terminal afterwards. */
    readonly behind?: string;
  } = {},
) {
  const verb = `'${process.execPath}' '${program}' ${line}`;
  const command = `stty cols ${columns} rows 24; ${behind === undefined ? `exec ${verb}` : `${verb}; ${behind}`}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    ...{ cwd: server.folders.cwd, stdio: 'pipe' },
    env: { ...envOf(server), SHELL: '/bin/sh', ...env },
  });
  register({ left: () => undefined, dispose: () => child.kill('SIGKILL') });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    ended,
    type: (text: string) => child.stdin.write(text),
    /** Takes the terminal away, as a window that is closed does. */
    close: () => child.kill('SIGKILL'),
    /** As it came, escapes and all. */
    raw: () => shown,
    /** Without colours and carriage returns. */
    shown: () => stripVTControlCharacters(shown).replaceAll('\r', ''),
  };
}
