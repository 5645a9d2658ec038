import { realpathSync } from 'node:fs';
import { PmanError } from '../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../wire/json.ts';
import type { Caller, Grant } from './caller.ts';

/** What a `run` asks for, as far as a token may limit it. */
export interface AskedRun {
  readonly cmd: string;
  readonly rawMeta: JsonObject;
  /** `meta.container`, where an engine is to run it; undefined: its command runs on this host. */
  readonly container: JsonObject | undefined;
  /** Whether a shareDir stands for the folder of its last name alone (STOREBASE): then no pattern means what is below. */
  readonly isShareMapped: boolean;
}

/** Only these characters: what a shell gives a meaning is none of them. */
const PLAIN = /^[A-Za-z0-9_@%+=:,./ \t-]*$/;

/**
 * Checks a `run` against the lists of a token. A token without any list may run everything. With one, what no list
 * names is refused: without `commands` there are no jobs on this host, without `images` none in containers.
 * @throws PmanError forbidden naming what is not allowed
 */
export function requirePermittedRun({ name, grant }: Caller, asked: AskedRun): void {
  if (grant === undefined) return;
  const { commands, images, mounts, shareDirs } = grant;
  if (![commands, images, mounts, shareDirs].some((list) => list !== undefined)) return;
  const problem =
    asked.container === undefined
      ? hostProblem(asked, grant)
      : containerProblem(asked, asked.container, grant);
  if (problem === undefined) return;
  throw new PmanError('forbidden', `run: the token ${name} does not allow ${problem.what}`, {
    hint: problem.hint,
  });
}

interface Problem {
  readonly what: string;
  readonly hint: string;
}

function hostProblem({ cmd, rawMeta }: AskedRun, { commands }: Grant): Problem | undefined {
  if (commands === undefined) {
    return { what: 'jobs on this host', hint: 'send meta.container, or use another token' };
  }
  // Each would make another program of the same words (a search path, a library, another host, other files, a script
  // that is read), or show other files.
  for (const member of ['env', 'cwd', 'ssh', 'stdin', 'files']) {
    if (Object.hasOwn(rawMeta, member)) {
      return { what: `"meta.${member}"`, hint: 'a token with a list of commands sends none' };
    }
  }
  return commandProblem(cmd, commands);
}

function containerProblem(
  { cmd, rawMeta, isShareMapped }: AskedRun,
  container: JsonObject,
  { commands, images, mounts, shareDirs }: Grant,
): Problem | undefined {
  if (images === undefined) {
    return { what: 'jobs in containers', hint: 'the token has no list of images' };
  }
  const target = objectAt(container, 'target');
  const manager = objectAt(container, 'manager');
  // A manager may do everything with the engine: what is run in it is not the client's to say.
  if (!['', 'swarm.py'].includes(textAt(manager, 'app'))) {
    return { what: 'another "manager.app" than swarm.py', hint: 'leave it out' };
  }
  const wantedImages = [textAt(target, 'image'), textAt(manager, 'image')];
  const image = wantedImages.find((one) => one !== '' && !fitsOne(one, images));
  if (image !== undefined) {
    return { what: `the image ${shown(image)}`, hint: 'the token lists the images that it allows' };
  }
  for (const source of sourcesOf(target)) {
    if (allowsPath(source, mounts ?? [])) continue;
    return { what: `the mount of ${shown(source)}`, hint: 'the token lists what may be mounted' };
  }
  const shareDir = textAt(objectAt(manager, 'env'), 'shareDir');
  if (shareDir !== '' && !allowsPath(shareDir, shareDirs ?? [], !isShareMapped)) {
    return {
      what: `the shareDir ${shown(shareDir)}`,
      hint: 'the token lists the folders that a job may share',
    };
  }
  if (commands === undefined) return undefined;
  const env = Object.hasOwn(target, 'env') || Object.hasOwn(rawMeta, 'env');
  if (env) {
    return { what: '"target.env"', hint: 'a token with a list of commands sends no environment' };
  }
  if (Object.hasOwn(rawMeta, 'cwd')) {
    return { what: '"meta.cwd"', hint: 'a token with a list of commands names no folder' };
  }
  return commandProblem(cmd, commands);
}

function sourcesOf(target: JsonObject): readonly string[] {
  const { mounts } = target;
  if (!Array.isArray(mounts)) return [];
  return mounts.map((mount: JsonValue) => (isJsonObject(mount) ? textAt(mount, 'source') : ''));
}

function objectAt(parent: JsonObject, name: string): JsonObject {
  const value = Object.hasOwn(parent, name) ? parent[name] : undefined;
  return isJsonObject(value) ? value : {};
}

function textAt(parent: JsonObject, name: string): string {
  const value = Object.hasOwn(parent, name) ? parent[name] : undefined;
  return typeof value === 'string' ? value : '';
}

/** What is wrong with a command line: each part of it, cut at `;`, has to be plain words that fit a pattern. */
export function commandProblem(cmd: string, patterns: readonly string[]): Problem | undefined {
  if (!PLAIN.test(cmd.replaceAll(';', ''))) {
    return {
      what: 'a command with characters that a shell reads, quotes or line ends',
      hint: 'send plain words of letters, digits and _@%+=:,./- with blanks between',
    };
  }
  const parts = cmd.split(';').map((part) => part.split(/[ \t]+/).filter((word) => word !== ''));
  const refused = parts.find((words) => words.length > 0 && !fitsCommand(words, patterns));
  if (refused !== undefined) {
    return {
      what: `the command ${shown(refused.join(' '))}`,
      hint: 'the token lists the commands that it allows',
    };
  }
  if (parts.some((words) => words.length > 0)) return undefined;
  return { what: 'an empty command', hint: 'the token lists the commands that it allows' };
}

function fitsCommand(words: readonly string[], patterns: readonly string[]): boolean {
  // `A=b program` sets a variable; a path that does not begin at the root depends on a folder.
  const [program = ''] = words;
  if (program.includes('=') || (program.includes('/') && !program.startsWith('/'))) return false;
  return patterns.some((pattern) => fitsWords(words, pattern.split(/\s+/)));
}

function fitsWords(words: readonly string[], pattern: readonly string[]): boolean {
  const goesOn = pattern.length > 1 && pattern.at(-1) === '*';
  const fixed = goesOn ? pattern.slice(0, -1) : pattern;
  if (goesOn ? words.length < fixed.length : words.length !== fixed.length) return false;
  return words.every((word, i) => {
    const wanted = fixed[i] ?? '*';
    if (wanted === word) return true;
    // A star must not lead above the folder that stands before it.
    if (/(^|[/=:,])\.\.($|[/:,])/.test(word)) return false;
    return fits(word, wanted);
  });
}

/** Whether an image, as a request names it, is one of those of a list: there a star stands for what is between slashes. */
function fitsOne(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => fitsPieces(text, pattern));
}

/**
 * Whether a folder, or the name of a volume, is one of those of a list: as it is written, and where its links lead. A
 * star stands for what is between slashes; a pattern that ends in a slash and two stars allows what is below as well.
 */
function allowsPath(path: string, patterns: readonly string[], mayBeBelow = true): boolean {
  const written = path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
  if (written.split('/').some((piece) => piece === '..' || piece === '.')) return false;
  const allowed = (text: string, list: readonly string[]) =>
    list.some((pattern) => {
      const base = pattern.endsWith('/**') ? pattern.slice(0, -3) : undefined;
      if (base === undefined) return fitsPieces(text, pattern.replace(/(.)\/$/, '$1'));
      const depth = base.split('/').length;
      const pieces = text.split('/');
      return (
        (mayBeBelow || pieces.length === depth) &&
        fitsPieces(pieces.slice(0, depth).join('/'), base)
      );
    });
  if (!allowed(written, patterns)) return false;
  if (!written.startsWith('/')) return true;
  const real = realPath(written);
  return real === written || allowed(real, [...patterns, ...patterns.map(realPattern)]);
}

/** The pattern with the folders before its first star as their links lead. */
function realPattern(pattern: string): string {
  const pieces = pattern.split('/');
  const star = pieces.findIndex((piece) => piece.includes('*'));
  const fixed = star < 0 ? pieces : pieces.slice(0, star);
  const rest = star < 0 ? [] : pieces.slice(star);
  return [realPath(fixed.join('/') || '/').replace(/\/$/, ''), ...rest].join('/');
}

/** The folder may be on the host of an engine only. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

function fitsPieces(text: string, pattern: string): boolean {
  const pieces = text.split('/');
  const wanted = pattern.split('/');
  return (
    pieces.length === wanted.length && pieces.every((piece, i) => fits(piece, wanted[i] ?? ''))
  );
}

/** Whether a text is a pattern's, where a star stands for any characters. Takes one look at each character. */
function fits(text: string, pattern: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || text.length < first.length + last.length) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of others) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return text.endsWith(last);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
