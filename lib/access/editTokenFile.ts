import { randomBytes } from 'node:crypto';
import { chownSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { messageOf, systemErrorCode, UsageError } from '../errors.ts';
import { replaceFile } from '../host/atomicFile.ts';
import { iniSections } from './iniSections.ts';
import { isIniPath, OPEN_SECTION, TOKEN_NAME, tokensIn } from './tokenFile.ts';
import { hashed } from './tokenValue.ts';

/** How a new token is written. */
export type StoredAs = 'sha256' | 'scrypt' | 'plain';

export interface NewToken {
  readonly name: string;
  /** The lines of its section as they are written, such as `scopes = read`; undefined: a token for everything. */
  readonly limits: readonly string[] | undefined;
  readonly storedAs: StoredAs;
}

/** 256 bits, in letters, digits, `-` and `_`. */
const TOKEN_BYTES = 32;

/**
 * Adds a token to a file, which is made where there is none. What is in it stays as it is.
 * @returns the token; nothing keeps it in the clear, unless `storedAs` says so
 * @throws UsageError for a name that cannot be or is taken, limits that cannot be, or a file that cannot be changed
 */
export function addToken(file: string, { name, limits, storedAs }: NewToken): string {
  if (!isIniPath(file)) {
    throw new UsageError(`${file} has a token a line: names need a file that ends in .cfg or .ini`);
  }
  if (!TOKEN_NAME.test(name)) {
    throw new UsageError(`the name of a token is of letters, digits and "_.@-", not "${name}"`);
  }
  const content = contentOf(file) ?? '';
  if (tokensIn(content, file).some((token) => token.name === name)) {
    throw new UsageError(`${file} has a token ${name} already`, {
      hint: `take another name, or remove that one: pman token revoke ${name}`,
    });
  }
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const value = storedAs === 'plain' ? token : hashed(token, storedAs);
  const changed =
    limits === undefined
      ? withOpenToken(content, `${name} = ${value}`)
      : withSection(content, [`[TOKEN ${name}]`, `value = ${value}`, ...limits]);
  // What cannot be read again is not written.
  tokensIn(changed, file);
  write(file, changed);
  return token;
}

/**
 * Takes a token out of a file.
 * @throws UsageError when there is no such token, or the file cannot be changed
 */
export function revokeToken(file: string, name: string): void {
  const content = contentOf(file);
  if (content === undefined) {
    throw new UsageError(`there is no file ${file}`, {
      hint: 'name the file of the tokens with --tokenPath',
    });
  }
  const lines = isIniPath(file) ? linesOfToken(content, name) : lineNamed(content, name);
  if (lines === undefined) {
    throw new UsageError(`${file} has no token ${name}`, { hint: 'pman token list shows them' });
  }
  const left = content.split('\n');
  left.splice(lines.from - 1, lines.to - lines.from);
  const text = left.join('\n');
  // A file without anything is taken for one that is just being written.
  write(file, text.trim() === '' ? `[${OPEN_SECTION}]\n` : text);
}

interface Lines {
  readonly from: number;
  readonly to: number;
}

function linesOfToken(content: string, name: string): Lines | undefined {
  for (const section of iniSections(content)) {
    if (/^TOKEN\s+/.test(section.name) && section.name.replace(/^TOKEN\s+/, '').trim() === name) {
      return { from: section.line, to: section.end };
    }
    if (section.name !== OPEN_SECTION) continue;
    const entry = section.entries.find(({ key }) => key === name);
    if (entry !== undefined) return { from: entry.line, to: entry.end };
  }
  return undefined;
}

/** Where each line is a token, they are called by their numbers, as `pman token list` shows them. */
function lineNamed(content: string, name: string): Lines | undefined {
  const line = Number(/^line (\d{1,6})$/.exec(name)?.[1] ?? 0);
  const isToken = (content.split('\n')[line - 1] ?? '').trim() !== '';
  return line > 0 && isToken ? { from: line, to: line + 1 } : undefined;
}

function withSection(content: string, lines: readonly string[]): string {
  const end = content.includes('\r\n') ? '\r\n' : '\n';
  const before = content === '' ? '' : `${content.replace(/\r?\n$/, '')}${end}${end}`;
  return `${before}${lines.join(end)}${end}`;
}

/** Behind the last token of the section, or in a section at the end where there is none. */
function withOpenToken(content: string, line: string): string {
  const section = iniSections(content).find(({ name }) => name === OPEN_SECTION);
  if (section === undefined) return withSection(content, [`[${OPEN_SECTION}]`, line]);
  const lines = content.split('\n');
  const end = content.includes('\r\n') ? '\r' : '';
  // No deeper than the others: it would go on with the one above.
  const last = section.entries.at(-1);
  const indent = last === undefined ? '' : (/^\s*/.exec(lines[last.line - 1] ?? '')?.[0] ?? '');
  lines.splice(section.end - 1, 0, `${indent}${line}${end}`);
  return lines.join('\n');
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** For whoever owned it, and with what its group might do: the server may run as another user. */
function write(path: string, content: string): void {
  try {
    const old = statSync(path, { throwIfNoEntry: false });
    const file = old === undefined ? path : realpathSync.native(path);
    const group = (old?.mode ?? 0) & 0o040;
    replaceFile(file, content, { rights: { file: 0o600 | group, folder: 0o700 }, fsync: true });
    if (old !== undefined && (old.uid !== process.geteuid?.() || old.gid !== process.getegid?.())) {
      chownSync(file, old.uid, old.gid);
    }
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}
