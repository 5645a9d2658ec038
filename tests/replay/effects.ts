import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestServer } from '../helpers/startServer.ts';
import { listFiles } from './files.ts';
import { payloadOf, type ServerCase } from './recording.ts';

/** How long a server may take to end after it was told to, in ms. */
const EXIT_MS = 10_000;

/** What can be seen now of the effects that a case was recorded with. What cannot be seen is left out. */
export async function observeEffects(
  recorded: ServerCase,
  server: TestServer,
): Promise<Record<string, unknown>> {
  const { DBpath, directiveFile } = server.folders;
  const target = String(payloadOf(recorded).meta?.dbpath ?? '');
  const exit = async () => Promise.race([server.exited, sleep(EXIT_MS, undefined, { ref: false })]);
  const looks: Readonly<Record<string, () => unknown>> = {
    'files under DBpath': () => listFiles(DBpath),
    'directory created': () => existsSync(target),
    'top level of the saved tree': () => topLevel(target),
    'file removed': () => !existsSync(directiveFile),
    'process exits': async () => (await exit()) !== undefined,
    exitCode: async () => (await exit())?.code,
    stdout: () => server.output.stdout,
    'DB saved': () => listFiles(DBpath).some((name) => name !== './'),
  };
  const seen: Record<string, unknown> = {};
  for (const key of Object.keys(recorded.effect ?? {})) {
    const look = looks[key];
    if (look) seen[key] = await look();
  }
  return seen;
}

function topLevel(folder: string): string[] {
  return [...new Set(listFiles(folder).map((name) => name.split('/')[0] ?? name))];
}

/** The text of a file, null when there is none. */
export function textOf(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
