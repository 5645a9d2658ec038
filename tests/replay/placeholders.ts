import type { Folders } from '../helpers/startServer.ts';

/** What a placeholder may stand for, as the source of a regular expression. */
const FACTS: Readonly<Record<string, string>> = {
  timestamp: '\\d{14}\\.\\d{1,6}',
  datetime: '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,6})?',
  uuid: '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
  inet: '[0-9a-f.:]+',
  'http-date': '.+',
  system: '.+',
  machine: '.+',
  platform: '.+',
  version: '.+',
  hostname: '.+',
};

/** Placeholders that the recorder put, as text, where the original had a number. */
const NUMBERS = new Set(['number', 'pid', 'len']);

const ROOT_NAME = new RegExp(`${FACTS.timestamp}_${FACTS.uuid}`, 'g');

/** Job roots by order of registration, gathered from whatever a server said. */
export class JobRoots {
  readonly #names = new Set<string>();

  /** Takes in the names that occur in a text. */
  note(text: string): void {
    for (const [name] of text.matchAll(ROOT_NAME)) this.#names.add(name);
  }

  /** Their names start with the time of registration. */
  get names(): readonly string[] {
    return [...this.#names].sort();
  }
}

/** The recorder's folders outside the scratch folder, whose name is in the recordings as it was. */
const LITERAL_FOLDER = '/tmp/pmanalt';

/** Puts what is known of one server in place of the placeholders, in every text of a JSON value. */
export function fill<T>(value: T, known: ReadonlyMap<string, string>): T {
  if (typeof value === 'string') {
    let text: string = value;
    for (const [name, replacement] of known) text = text.replaceAll(name, replacement);
    return text as T & string;
  }
  if (Array.isArray(value)) return value.map((item: unknown) => fill(item, known)) as T & unknown[];
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [fill(key, known), fill(item, known)]);
  return Object.fromEntries(entries) as T & object;
}

/** What a server's placeholders stand for, without the job roots. */
export function knownOf(folders: Folders, port: number): Map<string, string> {
  return new Map([
    ['<ip>', '127.0.0.1'],
    ['<port>', String(port)],
    ['<DBpath>', folders.DBpath],
    ['<directiveFile>', folders.directiveFile],
    ['<workDir>', folders.cwd],
    ['<configDir>', folders.cwd],
    ['<HOME>', folders.home],
    ['<docker socket>', `unix://${folders.cwd}/e.sock`],
    [LITERAL_FOLDER, `${folders.cwd}/alt`],
  ]);
}

/** The same for job roots. */
export function knownRoots(roots: JobRoots): Map<string, string> {
  return new Map(roots.names.map((name, index) => [`<jobRoot#${index}>`, name]));
}

/** Whether a value is what a recorded text says, placeholders standing for their facts. */
export function agrees(recorded: string, actual: unknown): boolean {
  const sole = /^<([\w:-]+)>$/.exec(recorded)?.[1];
  if (sole !== undefined && NUMBERS.has(sole)) return typeof actual === 'number';
  if (typeof actual !== 'string') return false;
  if (sole?.startsWith('uname:')) return true; // any text: the processor may be unknown, ""
  return actual === recorded || patternOf(recorded).test(actual);
}

function patternOf(recorded: string): RegExp {
  const source = recorded.split(/(<[\w-]+>)/).map((part) => {
    const fact = part.startsWith('<') ? FACTS[part.slice(1, -1)] : undefined;
    return fact === undefined ? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : `(?:${fact})`;
  });
  return new RegExp(`^${source.join('')}$`, 's');
}
