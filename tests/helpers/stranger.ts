import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { notLinux, notRoot } from './engine.ts';
import { register } from './scope.ts';

/** Another user of this host. */
export const STRANGER = 65_534;
/** Why nobody can be one here: only root can, for a while, and only Linux tells who has connected. */
export const strangerMissing = (): string | undefined => notLinux() ?? notRoot();

const CONNECT = `
  const [path, text] = process.argv.slice(1);
  const socket = require('node:net').createConnection(path, () => socket.write(text));
  socket.on('data', (data) => process.stdout.write(data));
  socket.on('error', (error) => { console.error(error.code); process.exit(error.code === 'EPIPE' || error.code === 'ECONNRESET' ? 0 : 1); });
  socket.on('close', () => process.exit(0));
`;
const LISTEN = `
  const [path, greeting] = process.argv.slice(1);
  require('node:net').createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => process.stdout.write(data));
    socket.write(greeting);
  }).listen(path, () => process.stderr.write('listening'));
`;

/**
 * Another user connects to a socket, and says something.
 * @returns what it was told before the other side hung up
 */
export async function strangerConnects(path: string, text: string): Promise<string> {
  const modes = opened([path, ...above(path)]);
  const child = asStranger(CONNECT, [path, text]);
  let heard = '';
  child.stdout?.on('data', (data: Buffer) => {
    heard += data.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  modes.restore();
  if (code !== 0) throw new Error(`the stranger could not connect to ${path}`);
  return heard;
}

/**
 * Another user listens at a path until the test ends, in a folder that was open to it for a moment.
 * @returns what it has heard so far
 */
export async function strangerListens(path: string, greeting: string): Promise<() => string> {
  const folder = dirname(path);
  const modes = opened([folder, ...above(folder)]);
  const child = asStranger(LISTEN, [path, greeting]);
  let heard = '';
  child.stdout?.on('data', (data: Buffer) => {
    heard += data.toString();
  });
  const [words] = (await once(child.stderr ?? child, 'data')) as [Buffer];
  modes.restore();
  if (words.toString() !== 'listening') throw new Error(words.toString());
  return () => heard;
}

function asStranger(script: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['-e', script, ...args], {
    ...{ uid: STRANGER, gid: STRANGER, cwd: '/' },
  });
  register({ left: () => undefined, dispose: () => void child.kill('SIGKILL') });
  return child;
}

/** The folders that lead there. */
function above(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...above(folder)];
}

/** Lets others into what is not open to them, until it is restored. */
function opened(paths: readonly string[]): { restore(): void } {
  const modes = paths.map((path) => [path, statSync(path).mode & 0o7777] as const);
  const [first] = paths;
  for (const [path, mode] of modes) {
    const wanted = mode | (path === first ? 0o777 : 0o001);
    if (wanted !== mode) chmodSync(path, wanted);
  }
  return {
    restore: () => {
      for (const [path, mode] of modes) chmodSync(path, mode);
    },
  };
}
