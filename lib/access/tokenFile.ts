import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { messageOf, UsageError } from '../errors.ts';
import { type Grant, SCOPES, type Scope } from './caller.ts';
import { type IniEntry, type IniSection, iniSections } from './iniSections.ts';
import { type StoredValue, storedValue } from './tokenValue.ts';

export const OPEN_SECTION = 'AUTH TOKENS';
const LIMITED_SECTION = /^TOKEN\s+(.+)$/;
/** What a token may be called: it is shown in logs and typed on command lines. */
export const TOKEN_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,99}$/;

/** A token of a file: what it is called there, what it is compared with, what it is good for. */
export interface Token {
  readonly name: string;
  readonly value: StoredValue;
  /** Undefined: for everything. */
  readonly grant: Grant | undefined;
  /** From then on it is not good any more, in milliseconds since 1970. */
  readonly expiresAt: number | undefined;
  readonly line: number;
}

const MAKE_ONE = 'pman token add <name> --all --tokenPath <file>';

/**
 * Reads the tokens of a server (protocol e). In a file whose name ends in .cfg or .ini they are the values of the
 * section `[AUTH TOKENS]`, each good for everything, and the sections `[TOKEN name]`, each good for what it says. Any
 * other file has one a line, good for everything.
 * @param mayBeEmpty whether a file may hold no token, but something else: then nobody is let in
 * @throws UsageError when the file cannot be read or understood, or holds no token; it shows no token
 */
export function readTokenFile(file: string, mayBeEmpty = false): readonly Token[] {
  return requireTokens(readTokenText(file), file, mayBeEmpty);
}

/** The text of a file of tokens. @throws UsageError */
export function readTokenText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `cannot read the tokens: ${messageOf(error)}; name their file with --tokenPath`,
      { hint: `make one: ${MAKE_ONE}`, cause: error },
    );
  }
}

/** The tokens in the text of a file. @throws UsageError as readTokenFile does */
export function requireTokens(
  content: string,
  file: string,
  mayBeEmpty: boolean,
): readonly Token[] {
  const tokens = tokensIn(content, file);
  // An empty file is one that is just being written.
  if (tokens.length > 0 || (mayBeEmpty && content.trim() !== '')) return tokens;
  throw new UsageError(
    isIniPath(file)
      ? `${file} has no token in its section [${OPEN_SECTION}], and no section [TOKEN name]`
      : `${file} has no line with a token`,
    { hint: `add one: ${MAKE_ONE}` },
  );
}

/** The original looks for ".cfg" anywhere in the path, and only promises to read .ini the same way. */
export function isIniPath(path: string): boolean {
  return path.includes('.cfg') || extname(path) === '.ini';
}

/** The same; there may be none. @throws UsageError for what cannot be understood */
export function tokensIn(content: string, file: string): readonly Token[] {
  return isIniPath(file) ? iniTokens(iniSections(content), file) : lineTokens(content, file);
}

function lineTokens(content: string, file: string): readonly Token[] {
  return content.split('\n').flatMap((text, i): Token[] => {
    if (text.trim() === '') return [];
    return [openToken(`line ${i + 1}`, { value: text.trim(), line: i + 1 }, file)];
  });
}

function iniTokens(sections: readonly IniSection[], file: string): readonly Token[] {
  const names = new Map<string, number>();
  const tokens: Token[] = [];
  for (const section of sections) {
    const limited = LIMITED_SECTION.exec(section.name)?.[1]?.trim();
    if (limited === undefined && section.name !== OPEN_SECTION) continue;
    // The line may be a token that lacks its key: it is not shown.
    const [unreadable] = section.unreadable;
    if (unreadable !== undefined) {
      throw wrong(file, unreadable, 'a token is written as "name = token"');
    }
    if (limited !== undefined) tokens.push(limitedToken(limited, section, file));
    else {
      const written = section.entries.filter(({ value }) => value !== '');
      tokens.push(...written.map((entry) => openToken(entry.key, entry, file)));
    }
  }
  for (const { name, line } of tokens) {
    const before = names.get(name);
    if (before !== undefined) {
      throw wrong(file, line, `there is a token ${name} in line ${before} already`);
    }
    names.set(name, line);
  }
  return tokens;
}

function openToken(name: string, entry: Pick<IniEntry, 'value' | 'line'>, file: string): Token {
  const { line } = entry;
  return { name, value: tokenValueOf(entry, file), grant: undefined, expiresAt: undefined, line };
}

const KEYS = ['value', 'scopes', 'expires', 'auid', 'commands', 'images', 'mounts', 'shareDirs'];
const LISTS = ['commands', 'images', 'mounts', 'shareDirs'] as const;

function limitedToken(name: string, section: IniSection, file: string): Token {
  if (!TOKEN_NAME.test(name)) {
    throw wrong(file, section.line, 'the name of a token is of letters, digits and "_.@-"');
  }
  const found = new Map<string, IniEntry>();
  for (const entry of section.entries) {
    // Python's configparser takes keys of any case.
    const key = KEYS.find((known) => known.toLowerCase() === entry.key.toLowerCase());
    if (key === undefined) {
      throw wrong(file, entry.line, `a token has no "${entry.key}"; it has ${KEYS.join(', ')}`);
    }
    if (found.has(key)) throw wrong(file, entry.line, `"${key}" is there twice`);
    found.set(key, entry);
  }
  const value = found.get('value');
  if (value === undefined || value.value === '') {
    throw wrong(file, section.line, `the token ${name} has no value`);
  }
  const list = (key: (typeof LISTS)[number]) => {
    const entry = found.get(key);
    return entry === undefined ? undefined : listOf(entry.value, key === 'commands');
  };
  const auid = found.get('auid')?.value;
  const scopes = scopesOf(name, section, found.get('scopes'), file);
  if (auid !== undefined && scopes.has('admin')) {
    throw wrong(file, section.line, `the token ${name}: "admin" is about all jobs, leave out auid`);
  }
  const lists = LISTS.map((key) => [key, list(key)] as const);
  const given = Object.fromEntries(lists.filter(([, items]) => items !== undefined));
  return {
    name,
    value: tokenValueOf(value, file),
    grant: { scopes, ...(auid === undefined ? {} : { auid }), ...given },
    expiresAt: timeOf(found.get('expires'), file),
    line: section.line,
  };
}

/** Commands stand a line each, since they have commas; other lists have commas or lines. */
function listOf(value: string, byLines: boolean): readonly string[] {
  return value
    .split(byLines ? '\n' : /[\n,]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function scopesOf(
  name: string,
  section: IniSection,
  entry: IniEntry | undefined,
  file: string,
): ReadonlySet<Scope> {
  const words = (entry?.value ?? '').split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 0) {
    const message = `the token ${name} has no scopes: some of ${SCOPES.join(', ')}`;
    throw wrong(file, section.line, message);
  }
  return new Set(
    words.map((word) => {
      const scope = SCOPES.find((known) => known === word);
      if (scope !== undefined) return scope;
      const message = `there is no scope "${word}"; there are ${SCOPES.join(', ')}`;
      throw wrong(file, entry?.line ?? section.line, message);
    }),
  );
}

/** A date, or a date and a time as ISO 8601 has it; without a zone it is UTC. */
const TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** The point in time that a text says, in milliseconds since 1970; undefined for what is none. */
export function expiryOf(text: string): number | undefined {
  if (!TIME.test(text)) return undefined;
  const iso = text.replace(' ', 'T');
  const hasZone = iso.length === 10 || /(Z|[+-]\d\d:\d\d)$/.test(iso.slice(10));
  const time = Date.parse(hasZone ? iso : `${iso}Z`);
  return Number.isNaN(time) ? undefined : time;
}

function timeOf(entry: IniEntry | undefined, file: string): number | undefined {
  if (entry === undefined || entry.value === '') return undefined;
  const time = expiryOf(entry.value);
  if (time !== undefined) return time;
  throw wrong(file, entry.line, 'expires is a date, as 2027-01-31 or 2027-01-31T18:00Z');
}

function tokenValueOf(
  { value, line }: Pick<IniEntry, 'value' | 'line'>,
  file: string,
): StoredValue {
  const stored = storedValue(value);
  if (stored !== undefined) return stored;
  throw wrong(file, line, 'this is no hash of the form sha256:<hex> or scrypt:<cost>:<hex>:<hex>');
}

function wrong(file: string, line: number, what: string): UsageError {
  return new UsageError(`${file}, line ${line}: ${what}`);
}
