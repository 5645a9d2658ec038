import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { killMarked, MARK } from './processes.ts';
import { register } from './scope.ts';
import { builtProgram, checkout } from './startServer.ts';
import { tempDir } from './tempDir.ts';

/** A block of a page between fences. */
export interface Block {
  /** The first word behind the fence: sh, json, …; empty where there is none. */
  readonly language: string;
  /** What stands behind the language: `needs=docker`. */
  readonly info: string;
  readonly text: string;
  /** The number of the line of its fence, from 1 on. */
  readonly line: number;
}

/** A block of commands, and what the page says that they print. */
export interface Step extends Block {
  readonly shown: string | undefined;
}

/** The languages whose blocks are commands that a reader types. */
const COMMANDS = 'sh';
/** A block in this one, right behind commands, is what they print: `…` stands for what varies. */
const OUTPUT = 'text';
const PROGRAMS = [
  ...['pman', 'pman_do', 'pman_health', 'pfioh', 'purl', 'pfurl', 'crunner', 'swarm'],
] as const;
const LIMIT_MS = 120_000;
const FENCE = /^ {0,3}```/;

/** All blocks of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = [];
  let open:
    | { language: string; info: string; line: number; indent: number; lines: string[] }
    | undefined;
  for (const [index, line] of readFileSync(page, 'utf8').split('\n').entries()) {
    if (!FENCE.test(line)) {
      open?.lines.push(line.slice(open.indent));
    } else if (open === undefined) {
      const [language = '', ...info] = line.trim().slice(3).split(' ');
      const indent = line.indexOf('`');
      open = { language, info: info.join(' '), line: index + 1, indent, lines: [] };
    } else {
      const { lines, language, info, line: first } = open;
      blocks.push({ language, info, line: first, text: `${lines.join('\n')}\n` });
      open = undefined;
    }
  }
  return blocks;
}

/** The commands of a page, each with what the page says that it prints. */
export function stepsOf(page: string): readonly Step[] {
  const blocks = blocksOf(page);
  return blocks.flatMap((block, i) => {
    if (block.language !== COMMANDS) return [];
    const next = blocks[i + 1];
    const end = block.line + block.text.split('\n').length;
    const isNext = next?.language === OUTPUT && next.line <= end + 2;
    return [{ ...block, shown: isNext ? next.text : undefined }];
  });
}

/** Whether a text is what a page shows: `…` is any text of one line, and a line `…` any lines. */
export function isAsShown(text: string, shown: string): boolean {
  const pattern = shown
    .trimEnd()
    .split('\n')
    .map((line) =>
      line.trim() === '…'
        ? '(?:.*\n)*?.*'
        : line
            .trimEnd()
            .split('…')
            .map((piece) => piece.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
            .join('.*'),
    )
    .join('\n');
  const trimmed = text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
  return new RegExp(`^${pattern}$`).test(trimmed);
}

/** What became of a step. */
export interface StepRun extends Step {
  /** Both streams, in the order of writing. */
  readonly printed: string;
}

export interface GuideRun {
  /** The steps that were begun. */
  readonly steps: readonly StepRun[];
  /** The exit code of the first command that failed, or 0. */
  readonly code: number | null;
}

export interface GuideOptions {
  /** More variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Which steps are run; default: those that need nothing. */
  readonly select?: (step: Step) => boolean;
  /** What the reader has typed before. */
  readonly before?: string;
  /** What the reader types in place of a block: with names and folders that there are, and servers in the background. */
  readonly typed?: (text: string) => string;
}

let guides = 0;

/**
 * Types what a page says, from its beginning to its end, in one shell, as a reader with the programs in the PATH and a home
 * of his own. The shell has a loopback of its own, so that all ports are free, and ends at the first command that fails.
 */
export async function runGuide(page: string, options: GuideOptions = {}): Promise<GuideRun> {
  const { env = {}, before = '', typed = (text: string) => text } = options;
  const { select = ({ info }: Step) => info === '' } = options;
  const steps = stepsOf(page).filter(select);
  const home = tempDir('pman-guide');
  const bin = join(home, '.bin');
  mkdirSync(bin);
  for (const name of PROGRAMS) writeProgram(bin, name);
  guides += 1;
  const mark = `guide-${process.pid}-${guides}`;
  register({ left: () => undefined, dispose: () => killMarked(mark) });
  const border = `==== ${mark} `;
  const lines = steps.flatMap(({ text }, i) => [`echo '${border}${i}'`, typed(text)]);
  const script = join(home, '.guide');
  writeFileSync(script, ['set -eu -o pipefail', before, ...lines].join('\n'));
  const child = spawn('unshare', [...OWN_LOOPBACK, script], {
    cwd: home,
    detached: true,
    env: {
      ...{ HOME: home, LANG: 'C.UTF-8', USER: 'ana', [MARK]: mark, CHECKOUT: checkout },
      PATH: bin + delimiter + (process.env.PATH ?? ''),
      // The default places are the same for all, and for all of root.
      XDG_STATE_HOME: join(home, '.local/state'),
      PMAN_DIRECTIVEFILE: join(home, '.directive'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  const timer = setTimeout(() => killMarked(mark), LIMIT_MS);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  killMarked(mark);
  const [, ...outputs] = printed.split(border);
  return {
    code,
    steps: outputs.flatMap((text, i) => {
      const step = steps[i];
      return step === undefined ? [] : [{ ...step, printed: text.slice(text.indexOf('\n') + 1) }];
    }),
  };
}

/** Both streams go to one pipe: `bash` is told so, that their order stays. */
const OWN_LOOPBACK = [
  ...(process.geteuid?.() === 0 ? [] : ['--user', '--map-root-user']),
  ...['--net', 'sh', '-c'],
  '{ ip link set lo up || busybox ip link set lo up; } 2>/dev/null; exec bash "$0" 2>&1',
];

function writeProgram(folder: string, name: string): void {
  const program = builtProgram(name === 'pfurl' ? 'purl' : name).map((word) =>
    name === 'crunner' ? word.replace(/\.js$/, '.cjs') : word,
  );
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\nexec ${program.map((word) => `'${word}'`).join(' ')} "$@"\n`);
  chmodSync(file, 0o755);
}

/** Why a page cannot be tried here; undefined when it can. */
export const guidesMissing = () =>
  process.platform === 'linux' ? undefined : 'namespaces of Linux';
