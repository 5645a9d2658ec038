import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { PmanError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { GONE, isStatus, noAnswer } from './apiError.ts';
import type { KubeClient } from './client.ts';
import { type KubeObject, listSchema, statusSchema, watchLineSchema } from './objects.ts';
import type { Listed } from './workCache.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly kind: 'jobs' | 'pods' | 'events';
  /** Which of them: labelSelector, fieldSelector. */
  readonly query: Readonly<Record<string, string>>;
  readonly schema: z.ZodType<T>;
  /** These are all there are. */
  readonly onList: (all: Listed<T>) => void;
  readonly onChange: (object: T, isGone: boolean) => void;
  readonly log: Logger;
}

/** How long a watch lasts before it is begun again where it was, in seconds. */
const WATCH_S = 300;
/** The API server writes a bookmark each minute: one that writes nothing for so long is gone. In milliseconds. */
const SILENCE_MS = 90_000;

/**
 * Keeps up with all objects of a kind: lists them, then watches from that version on. A watch that ends, as each does after some
 * minutes, goes on from the last version; when that is too old all are listed again.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  /** The version up to which all is known; undefined before the first list. */
  #version: string | undefined;
  #isWatching = false;
  #isOpen = false;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
  }

  /** Whether changes are being told, also while a watch that has ended is begun again. */
  get isWatching(): boolean {
    return this.#isWatching;
  }

  /** Whether a watch is open just now: the API server is there. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Runs until the signal is given. Called again it goes on where it was.
   * @param onOpen called each time when changes are told from now on
   * @throws PmanError unavailable when the API server is away
   */
  async run(signal: AbortSignal, onOpen: () => void): Promise<void> {
    try {
      while (!signal.aborted) {
        if (this.#version === undefined) await this.#list();
        if (signal.aborted) return;
        await this.#watch(signal, onOpen);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#isWatching = false;
    }
  }

  async #list(): Promise<void> {
    const { client, kind, query, onList } = this.#options;
    const answer = await client.ask(`list ${kind}`, { path: client.path(kind), query });
    const { metadata, items } = listSchema.parse(answer);
    const version = metadata.resourceVersion;
    onList({ objects: items.flatMap((item) => this.#read(item)), version });
    this.#version = version;
  }

  async #watch(signal: AbortSignal, onOpen: () => void): Promise<void> {
    const { client, kind, query, log } = this.#options;
    const doing = `watch ${kind}`;
    const silent = new AbortController();
    const timer = setTimeout(() => silent.abort(new Error('it has fallen silent')), SILENCE_MS);
    timer.unref();
    const either = AbortSignal.any([signal, silent.signal]);
    try {
      const answer = await client.open(
        doing,
        {
          path: client.path(kind),
          query: {
            ...query,
            watch: 'true',
            allowWatchBookmarks: 'true',
            timeoutSeconds: String(WATCH_S),
            resourceVersion: this.#version ?? '',
          },
        },
        either,
      );
      this.#isWatching = true;
      this.#isOpen = true;
      onOpen();
      for await (const line of createInterface({ input: answer })) {
        timer.refresh();
        if (line !== '' && !this.#take(line)) break;
      }
      answer.destroy();
    } catch (error) {
      if (signal.aborted) return;
      if (isStatus(error, GONE)) {
        log.debug('a watch begins anew', { kind });
        this.#version = undefined;
        return;
      }
      throw error instanceof PmanError ? error : noAnswer(doing, client.credentials.server, error);
    } finally {
      clearTimeout(timer);
      this.#isOpen = false;
      // What is lost while it is begun again is told then: what is known stays good until it fails.
    }
  }

  /** @returns false when the watch cannot go on */
  #take(line: string): boolean {
    const read = watchLineSchema.safeParse(JSON.parse(line));
    if (!read.success) throw new PmanError('unavailable', `cannot watch: ${line.slice(0, 200)}`);
    const { type, object } = read.data;
    if (type === 'ERROR') {
      const { code, message } = statusSchema.parse(object);
      this.#options.log.debug('a watch ends', { kind: this.#options.kind, code, message });
      this.#version = undefined;
      return false;
    }
    const metadata = object.metadata as { readonly resourceVersion?: unknown } | undefined;
    if (typeof metadata?.resourceVersion === 'string') this.#version = metadata.resourceVersion;
    if (type === 'BOOKMARK') return true;
    for (const read of this.#read(object)) this.#options.onChange(read, type === 'DELETED');
    return true;
  }

  /** One that cannot be read is left out: it must not hold up the others. */
  #read(item: unknown): readonly T[] {
    const { data, error } = this.#options.schema.safeParse(item);
    if (data !== undefined) return [data];
    const { kind, log } = this.#options;
    log.warn('an object of the cluster cannot be read', { kind, reason: error?.message });
    return [];
  }
}
