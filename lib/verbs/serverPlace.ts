import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isHeaderValue } from '../client/headerValue.ts';
import { withoutMark } from '../config/byteOrderMark.ts';
import { messageOf, systemErrorCode, UsageError } from '../errors.ts';
import { CannotError } from './failures.ts';
import { type Flag, flagValue, type Words } from './flagWords.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Where the server is, and as whom it is spoken to. */
export interface ServerPlace {
  readonly url: string;
  readonly token: string | undefined;
  /** The file of the certificates that are believed. */
  readonly ca: string | undefined;
  /** Who the jobs are for; undefined: the user of this process. */
  readonly auid: string | undefined;
}

export const DEFAULT_URL = 'http://localhost:5010';

/** The flags that every verb has which speaks to a server. */
export const SERVER_FLAGS: readonly Flag[] = [
  { name: 'server', value: 'URL', help: `where pman is (PMAN_URL; default: ${DEFAULT_URL})` },
  { name: 'context', value: 'NAME', help: 'a server of the file of contexts (PMAN_CONTEXT)' },
  { name: 'token', value: 'TOKEN', help: 'the token; others see it in ps (better: PMAN_TOKEN)' },
  { name: 'token-file', value: 'FILE', help: 'a file that holds the token (PMAN_TOKEN_FILE)' },
  { name: 'ca', value: 'FILE', help: 'certificates to believe, beside the known ones (PMAN_CA)' },
  { name: 'debug', help: 'of an error also where in the program it came up' },
];

/**
 * Which server a command line means: flags win over the environment, that over the context.
 * @throws UsageError for what is no URL, a context that is not there, or a token that cannot be sent; CannotError for a file that cannot be read or that
 * others may read
 */
export function serverPlace(words: Words, env: Env): ServerPlace {
  const asked = (flag: string, variable: string) =>
    flagValue(words, flag) || env[variable] || undefined;
  const context = contextOf(asked('context', 'PMAN_CONTEXT'), env);
  const url = asked('server', 'PMAN_URL') ?? context.url ?? DEFAULT_URL;
  // The token of a context is for its own server alone.
  const isOfContext = context.url !== undefined && context.url === url;
  const file =
    asked('token-file', 'PMAN_TOKEN_FILE') ?? (isOfContext ? context.tokenFile : undefined);
  const fromFile = (path: string) => sendable(tokenIn(inHome(path, env)), path);
  const ca = asked('ca', 'PMAN_CA') ?? context.ca;
  const token =
    sendable(flagValue(words, 'token'), '--token') ??
    (flagValue(words, 'token-file') === undefined
      ? sendable(env.PMAN_TOKEN || undefined, 'PMAN_TOKEN')
      : undefined) ??
    (file === undefined ? undefined : fromFile(file)) ??
    (isOfContext ? sendable(context.token, contextsFile(env)) : undefined);
  return {
    url: requireUrl(url),
    token,
    ca: ca === undefined ? undefined : inHome(ca, env),
    auid: env.PMAN_AUID || context.auid,
  };
}

/** @throws CannotError for a file that holds none: a server would say that it does not know the token */
function tokenIn(file: string): string {
  const token = readPrivate(file, 'the token').trim();
  if (token !== '') return token;
  throw new CannotError(`${file} holds no token: it is empty`);
}

/** @param from where the token is from: itself it is not told. @throws UsageError */
function sendable(token: string | undefined, from: string): string | undefined {
  if (token === undefined || isHeaderValue(token)) return token;
  throw new UsageError(
    `the token of ${from} cannot be sent: it has a line break or another character that no header may have`,
  );
}

function requireUrl(text: string): string {
  // People leave the beginning out.
  const whole = text.includes('://') ? text : `http://${text}`;
  if (URL.canParse(whole) && /^https?:$/.test(new URL(whole).protocol)) return whole;
  throw new UsageError(`${JSON.stringify(text)} is no address of a server, such as ${DEFAULT_URL}`);
}

interface Context {
  readonly url?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly auid?: string;
}

const MEMBERS = ['url', 'token', 'tokenFile', 'ca', 'auid'] as const;

/** `$XDG_CONFIG_HOME/pman/contexts.json`, by default in `~/.config` (XDG Base Directory Specification). */
export function contextsFile({ XDG_CONFIG_HOME, HOME }: Env): string {
  return join(XDG_CONFIG_HOME || join(HOME || homedir(), '.config'), 'pman/contexts.json');
}

/** A shell puts the home in the place of `~` in a word of its own, and not in a file or behind `--token-file=`. */
function inHome(path: string, { HOME }: Env): string {
  return path === '~' || path.startsWith('~/') ? (HOME || homedir()) + path.slice(1) : path;
}

function contextOf(asked: string | undefined, env: Env): Context {
  const file = contextsFile(env);
  const text = readIfThere(file);
  if (text === undefined) {
    if (asked === undefined) return {};
    throw new CannotError(`no context ${JSON.stringify(asked)}: there is no ${file}`);
  }
  const wrong = (what: string) => new CannotError(`${file}: ${what}`, [EXAMPLE]);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(`it is no JSON: ${messageOf(error)}`);
  }
  if (!isObject(value) || !isObject(value.contexts)) throw wrong('it has no "contexts"');
  const { current, contexts } = value;
  const name = asked ?? (typeof current === 'string' ? current : undefined);
  if (name === undefined) return {};
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (!isObject(found)) {
    throw wrong(
      `no context ${JSON.stringify(name)}; there are: ${Object.keys(contexts).join(', ')}`,
    );
  }
  const bad = Object.entries(found).find(
    ([key, one]) => typeof one !== 'string' || !MEMBERS.some((member) => member === key),
  );
  if (bad !== undefined) throw wrong(`"${name}": "${bad[0]}" is no text of ${MEMBERS.join(', ')}`);
  if (Object.values(contexts).some((one) => isObject(one) && 'token' in one)) requirePrivate(file);
  return found;
}

const EXAMPLE =
  'it is like {"current": "lab", "contexts": {"lab": {"url": "https://pman.lab:5010"}}}';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readIfThere(file: string): string | undefined {
  try {
    return withoutMark(readFileSync(file, 'utf8'));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw new CannotError(`cannot read ${file}: ${messageOf(error)}`);
  }
}

/** @throws CannotError when it is not there, or others than its user may read it */
function readPrivate(file: string, what: string): string {
  const text = readIfThere(file);
  if (text === undefined) throw new CannotError(`cannot read ${what}: there is no ${file}`);
  requirePrivate(file);
  return text;
}

function requirePrivate(file: string): void {
  if ((statSync(file).mode & 0o077) === 0) return;
  throw new CannotError(`${file} holds a token, and others may read it`, [`chmod 600 ${file}`]);
}
