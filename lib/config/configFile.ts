import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { parse as parseIni } from 'ini';
import { messageOf, UsageError } from '../errors.ts';
import { nearName } from '../wire/nearName.ts';
import { withoutMark } from './byteOrderMark.ts';

/** Programs that may share a config file: the section of each has its name. */
const PROGRAMS = [
  ...['pman', 'pman_do', 'pman_health', 'pfioh', 'purl', 'pfurl'],
  ...['crunner', 'swarm', 'openshift'],
];
/** Those of a file of tokens, the original's and ours, which may be the same file. */
const OF_TOKENS = /^(auth tokens|token .*)$/i;

/** A setting, as the file knows it. */
export interface ConfigKey {
  readonly name: string;
  /** What its value is called, `list` for one of several; undefined for a switch. */
  readonly value?: string;
}

type Values = Map<string, string | boolean>;

/**
 * The keys at the top of a config file, JSON or ini, and of the program's own section. Sections of other programs are
 * passed over.
 * @throws UsageError for a file that cannot be read, a key or a section that nobody knows, and a value of a wrong kind
 */
export function readConfigFile(
  file: string,
  settings: readonly ConfigKey[],
  program: string,
): ReadonlyMap<string, string | boolean> {
  const found: Values = new Map();
  const own: [string, unknown][] = [];
  for (const [key, value] of Object.entries(contentOf(file))) {
    const isSetting = settings.some(({ name }) => name === key);
    if (isSetting || typeof value !== 'object' || value === null) take(key, value);
    else if (key.toLowerCase() === program)
      own.push(...Object.entries(sectionOf(file, key, value)));
    else if (!isOfOthers(key)) throw unknownSection(file, key, settings);
  }
  // What is in the section counts, wherever it stands.
  for (const [key, value] of own) take(key, value);
  return found;

  function take(key: string, value: unknown): void {
    const setting = settings.find(({ name }) => name === key);
    if (setting === undefined) throw unknownKey(file, key, settings);
    found.set(key, checkedValue(file, setting, value));
  }
}

function contentOf(file: string): object {
  let parsed: unknown;
  try {
    const content = withoutMark(readFileSync(file, 'utf8'));
    parsed = extname(file) === '.json' ? JSON.parse(content) : parseIni(content);
  } catch (error) {
    throw new UsageError(`cannot read the config file ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new UsageError(`the config file ${file} is not a set of keys and values`, {
    hint: 'write {"port": 5010} (.json) or port = 5010 (any other name), a key for each flag',
  });
}

function sectionOf(file: string, name: string, value: object): object {
  if (!Array.isArray(value)) return value;
  throw new UsageError(`${file}: the section ${name} is a list, and not a set of keys and values`, {
    hint: `write {"${name}": {"port": 5010}}`,
  });
}

/** `[TOKEN a.b]` comes as what is in `TOKEN a`: ini takes a dot for the border of two sections. */
function isOfOthers(section: string): boolean {
  return PROGRAMS.includes(section.toLowerCase()) || OF_TOKENS.test(section);
}

/** A setting is text or a switch; one that is a list may be a list of texts, where there are such. */
function checkedValue(
  file: string,
  { name, value: kind }: ConfigKey,
  value: unknown,
): string | boolean {
  if (typeof value === 'boolean') return value;
  if (isText(value)) return String(value);
  const isWanted = kind === 'list' && Array.isArray(value);
  if (isWanted && value.every(isText)) return value.join(',');
  throw new UsageError(
    `${file}: ${name} ${isWanted ? 'has something else than texts' : isWhat(value)}`,
    {
      hint:
        value === null ? `leave ${name} out for its default` : `${name} takes ${wantedOf(kind)}`,
    },
  );
}

function isWhat(value: unknown): string {
  if (value === null) return 'is null';
  return Array.isArray(value) ? 'is a list' : 'is a set of keys and values';
}

function wantedOf(kind: string | undefined): string {
  if (kind === undefined) return 'true or false';
  return kind === 'list' ? 'a text with commas between, or a list of texts' : 'one value';
}

const isText = (one: unknown) => typeof one === 'string' || typeof one === 'number';

function unknownKey(file: string, key: string, settings: readonly ConfigKey[]): UsageError {
  const near = nearName(
    key,
    settings.map(({ name }) => name),
  );
  return new UsageError(`${file} has the key "${key}", which is no setting`, {
    hint: near === undefined ? 'the keys are the long flags without dashes' : `is ${near} meant?`,
  });
}

function unknownSection(file: string, name: string, settings: readonly ConfigKey[]): UsageError {
  const near = nearName(name, [...PROGRAMS, ...settings.map((setting) => setting.name)]);
  return new UsageError(`${file} has the section "${name}", which is of no program`, {
    hint:
      near === undefined
        ? `sections are of a program (${PROGRAMS.join(', ')}) or of tokens (AUTH TOKENS, TOKEN name)`
        : `is ${near} meant?`,
  });
}
