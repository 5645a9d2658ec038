import { existsSync, rmSync } from 'node:fs';
import { expect } from '@jest/globals';
import { Child, type Output } from '../helpers/child.ts';
import { builtProgram, type Folders, makeFolders } from '../helpers/startServer.ts';
import type { Difference } from './compare.ts';
import { commandDeviations } from './differences.ts';
import { textOf } from './effects.ts';
import type { Verdict } from './judge.ts';
import { fill, knownOf } from './placeholders.ts';
import type { CommandCase } from './recording.ts';

/** How a command line ended. */
export interface Ended extends Output {
  /** Its exit code, or the signal that ended it; "hangs" when it was ended for not ending. */
  readonly exitCode: number | string;
  /** The text it left in the directive file, null when there is none. */
  readonly file: string | null;
}

const TIMEOUT_MS = 12_000;

/** Runs the built program of that name with the recorded arguments, in folders of its own. */
export async function playCommand(recorded: CommandCase): Promise<Ended> {
  const folders = makeFolders();
  const args = fill(recorded.args, knownOf(folders, 0));
  const [name = recorded.program] = recorded.program.split(' ');
  const child = new Child([...builtProgram(name), ...args], {
    cwd: folders.cwd,
    env: { ...process.env, HOME: folders.home },
  });
  const { code, signal } = await child.within(TIMEOUT_MS);
  const exitCode = signal === 'SIGKILL' ? 'hangs' : (code ?? String(signal));
  return { ...child.output, exitCode, file: takeFile(folders) };
}

function takeFile({ directiveFile }: Folders): string | null {
  const text = textOf(directiveFile);
  if (existsSync(directiveFile)) rmSync(directiveFile);
  return text;
}

/** Holds the end of a command line against its recording. */
export function judgeCommand(recorded: CommandCase, ended: Ended): Verdict {
  const rows = new Set<string>();
  const unexplained: Difference[] = [];
  for (const difference of differencesOf(recorded, ended)) {
    const row = commandDeviations.find(({ allows }) => allows(difference, recorded));
    if (row) rows.add(row.id);
    else unexplained.push(difference);
  }
  return { rows: [...rows], unexplained };
}

function differencesOf(recorded: CommandCase, ended: Ended): Difference[] {
  const points: Difference[] = [];
  const say = (at: string, was: unknown, is: unknown) =>
    points.push({ at, recorded: was, actual: is });
  if (ended.exitCode !== recorded.exitCode) say('exitCode', recorded.exitCode, ended.exitCode);
  if (!textPattern(recorded.stdout).test(ended.stdout))
    say('stdout', recorded.stdout, ended.stdout);
  if (recorded.stderr !== ended.stderr) say('stderr', recorded.stderr, ended.stderr);
  if (recorded.effect && 'file' in recorded.effect && recorded.effect.file !== ended.file) {
    say('effect.file', recorded.effect.file, ended.file);
  }
  return points;
}

/** Recorded text as a pattern; "<banner, …>" stands for any text that is not empty. */
function textPattern(recorded: string): RegExp {
  if (/^<[^<>]{12,}>$/.test(recorded)) return /\S/;
  const stands: Readonly<Record<string, string>> = {
    "'<pid>'": "'?\\d+'?",
    "'<uname_result>'": '.+?',
  };
  const source = recorded.split(/('<pid>'|'<uname_result>'|<[\w-]+>)/).map((part) => {
    if (stands[part]) return stands[part];
    return /^<[\w-]+>$/.test(part) ? '.+?' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, 's');
}

/** What crunner does where the original crashed or hung. */
export const fixedCommands: Readonly<Record<string, (ended: Ended) => void>> = {
  'pipeline: quoted semicolon is split': ({ exitCode, stdout }) => {
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'a;b\n\n\n' });
  },
  jsonprint: ({ exitCode, stdout }) => {
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ 0: { cmd: 'true', returncode: 0, done: true } });
  },
  eventloop: ({ exitCode, stdout }) => {
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ +queueStart: id of process: \d+\n +queueEnd: id of process: \d+\n$/);
  },
  'unbalanced quote': ({ exitCode, stderr }) => {
    expect(exitCode).toBe(2);
    expect(stderr).not.toMatch(/^\s+at /m);
  },
};
