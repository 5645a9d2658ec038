import { readFileSync, statSync } from 'node:fs';
import { type IniSection, iniSections } from '../access/iniSections.ts';
import { tokenFileWarnings } from '../access/tokenFileRights.ts';
import { messageOf, UsageError } from '../errors.ts';
import { type EventType, KEPT_EVENT_TYPES } from '../events/event.ts';
import type { Logger } from '../log.ts';
import { DEFAULT_EVENTS, DEFAULT_SECRET, secretNameSchema } from './notify.ts';
import { keysOf } from './signature.ts';

/** An endpoint that is told of the jobs of everybody. */
export interface ServerEndpoint {
  readonly name: string;
  readonly url: string;
  readonly events: readonly EventType[];
  readonly secretName: string;
}

interface Content {
  readonly secrets: ReadonlyMap<string, readonly Buffer[]>;
  readonly endpoints: readonly ServerEndpoint[];
}

/** The file of `--notifyFile`: `[SECRETS]`, a name and its `whsec_…` a line, and `[ENDPOINT name]` sections. */
export class NotifyFile {
  readonly #path: string | undefined;
  readonly #log: Logger;
  #content: Content = { secrets: new Map(), endpoints: [] };
  #stamp = '';

  /** @throws UsageError when it cannot be read, others may write it, or something in it is wrong; never with a secret */
  constructor(path: string | undefined, log: Logger) {
    this.#path = path;
    this.#log = log;
    if (path === undefined) return;
    try {
      for (const warning of tokenFileWarnings(path, undefined, 'secrets')) log.warn(warning);
      this.#read(path);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`--notifyFile: cannot read ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** As they were when pman started. */
  get endpoints(): readonly ServerEndpoint[] {
    return this.#content.endpoints;
  }

  /** The keys of a secret; undefined when there is none of that name. A file that was changed is read again. */
  keys(name: string): readonly Buffer[] | undefined {
    if (this.#path !== undefined) this.#readIfChanged(this.#path);
    return this.#content.secrets.get(name);
  }

  #readIfChanged(path: string): void {
    try {
      if (stampOf(path) === this.#stamp) return;
      const { endpoints } = this.#content;
      for (const warning of tokenFileWarnings(path, undefined, 'secrets')) this.#log.warn(warning);
      this.#read(path);
      this.#content = { ...this.#content, endpoints };
    } catch (error) {
      // The secrets that are known stay good; it is said once for each change.
      const stamp = messageOf(error);
      if (stamp !== this.#stamp) this.#log.warn('the secrets stay as they were', { reason: stamp });
      this.#stamp = stamp;
    }
  }

  #read(path: string): void {
    const stamp = stampOf(path);
    this.#content = contentOf(path, readFileSync(path, 'utf8'));
    this.#stamp = stamp;
  }
}

function stampOf(path: string): string {
  const { mtimeMs, ino, size } = statSync(path);
  return `${mtimeMs} ${ino} ${size}`;
}

function contentOf(path: string, text: string): Content {
  const secrets = new Map<string, readonly Buffer[]>();
  const endpoints: ServerEndpoint[] = [];
  for (const section of iniSections(text)) {
    const wrong = (what: string) => new UsageError(`${path}, [${section.name}]: ${what}`);
    if (section.unreadable.length > 0)
      throw wrong(`line ${section.unreadable[0]} is no name = value`);
    const endpoint = /^ENDPOINT\s+(\S+)$/i.exec(section.name)?.[1];
    if (/^SECRETS$/i.test(section.name)) {
      for (const { key, value, line } of section.entries) {
        if (!secretNameSchema.safeParse(key).success) throw wrong(`line ${line} has no good name`);
        const keys = keysOf(value);
        if (keys === undefined) {
          throw wrong(`${key} is no whsec_ secret: whsec_ and 24 to 64 bytes in base64`);
        }
        secrets.set(key, keys);
      }
    } else if (endpoint !== undefined) endpoints.push(endpointOf(endpoint, section, wrong));
    else throw wrong('there are only [SECRETS] and [ENDPOINT name]');
  }
  for (const { name, secretName } of endpoints) {
    if (secrets.has(secretName)) continue;
    throw new UsageError(`${path}, [ENDPOINT ${name}]: there is no secret ${secretName}`);
  }
  return { secrets, endpoints };
}

function endpointOf(
  name: string,
  { entries }: IniSection,
  wrong: (what: string) => UsageError,
): ServerEndpoint {
  const values = new Map(entries.map(({ key, value }) => [key.toLowerCase(), value]));
  for (const key of values.keys()) {
    if (!['url', 'events', 'secret'].includes(key)) throw wrong(`${key} means nothing here`);
  }
  if (!secretNameSchema.safeParse(name).success) throw wrong('that is no good name');
  const url = values.get('url');
  if (url === undefined) throw wrong('url is missing');
  const events = values.get('events')?.split(/[\s,]+/) ?? DEFAULT_EVENTS;
  const types = KEPT_EVENT_TYPES.filter((type) => events.includes(type));
  const unknown = events.find((type) => !types.some((known) => known === type));
  if (unknown !== undefined) throw wrong(`${unknown} is none of ${KEPT_EVENT_TYPES.join(', ')}`);
  return { name, url, events: types, secretName: values.get('secret') ?? DEFAULT_SECRET };
}
