import { ExactNumber, type JsonValue } from '../../wire/json.ts';
import { goOnBehind } from '../jobRoot.ts';
import { RootList } from '../rootList.ts';
import { ShortNames } from './shortNames.ts';

/** What is known of each job without its record. */
export interface JobSummary {
  readonly jid?: JsonValue;
  readonly auid?: JsonValue;
  /** How it ended, as clients are told; absent while it has not. */
  readonly status?: string;
  /** About what its record and its outputs take on the disk; only once it has ended. */
  readonly bytes?: number;
  /** How it ended, with those apart that a client has ended; only once it has. */
  readonly state?: 'succeeded' | 'failed' | 'killed' | 'lost';
  /** The beginning of its command. */
  readonly cmd?: string;
  /** Whether its command goes on behind that. */
  readonly isLong?: true;
  /** What runs it, where it is not this host. */
  readonly runsOn?: 'ssh' | 'container';
  readonly labels?: Readonly<Record<string, string>>;
  /** The idempotency key it was sent with. */
  readonly key?: string;
  /** A digest of all that it was sent with; only with a key. */
  readonly digest?: string;
}

const KEYS = ['jid', 'auid'] as const;

/** What jobs are listed by, beside their names. */
export type ListKind = 'state' | 'label' | 'runsOn';

/** The jobs that have not ended, among the lists by state. */
export const ACTIVE = 'active';

/** Finds jobs by what clients ask for: all of them in order, by `jid` and `auid`, by state, and by label. */
export class JobIndex {
  readonly #summaries = new Map<string, JobSummary>();
  readonly #byValue: Readonly<Record<(typeof KEYS)[number], Map<string, RootList>>> = {
    jid: new Map(),
    auid: new Map(),
  };
  readonly #byState = new Map<string, RootList>();
  readonly #byLabel = new Map<string, RootList>();
  readonly #byPlace = new Map<string, RootList>();
  readonly #byKey = new Map<string, string>();
  readonly #all = new RootList();
  readonly #shortNames = new ShortNames();
  #bytes = 0;

  has(root: string): boolean {
    return this.#summaries.has(root);
  }

  /** How many jobs there are. */
  get size(): number {
    return this.#summaries.size;
  }

  /** What all of them take on the disk that have ended. */
  get bytes(): number {
    return this.#bytes;
  }

  get(root: string): JobSummary | undefined {
    return this.#summaries.get(root);
  }

  /** All job roots, oldest first. */
  roots(): readonly string[] {
    return this.#all.all();
  }

  /** Takes in a job, or new knowledge of one that is known: as a rule how it has ended. */
  put(root: string, summary: JobSummary): void {
    const known = this.#summaries.get(root);
    this.#summaries.set(root, summary);
    this.#bytes += (summary.bytes ?? 0) - (known?.bytes ?? 0);
    if (known === undefined) {
      goOnBehind(root);
      this.#all.add(root);
      this.#shortNames.add(root);
    }
    this.#list(root, known, summary);
    for (const key of KEYS) {
      if (known?.[key] === summary[key]) continue;
      this.#drop(key, known?.[key], new Set([root]));
      const value = indexedText(key, summary[key]);
      if (value !== undefined) this.#listOf(key, value).add(root);
    }
    if (known?.key !== summary.key) this.#dropKey(root, known);
    if (summary.key !== undefined) this.#byKey.set(summary.key, root);
  }

  remove(gone: ReadonlySet<string>): void {
    if (gone.size === 0) return;
    // Each list is gone through once, however many of its jobs go: one user may have them all.
    for (const key of KEYS) {
      const touched = new Set<string | undefined>();
      for (const root of gone) touched.add(indexedText(key, this.#summaries.get(root)?.[key]));
      for (const value of touched) this.#drop(key, value, gone);
    }
    for (const list of [this.#byState, this.#byLabel, this.#byPlace]) {
      const touched = new Set<string>();
      for (const root of gone) {
        const summary = this.#summaries.get(root);
        if (summary === undefined) continue;
        for (const name of this.#namesIn(list, summary)) touched.add(name);
      }
      for (const name of touched) dropFrom(list, name, gone);
    }
    for (const root of gone) {
      const known = this.#summaries.get(root);
      this.#dropKey(root, known);
      this.#bytes -= known?.bytes ?? 0;
      if (this.#summaries.delete(root)) this.#shortNames.remove(root);
    }
    this.#all.remove(gone);
  }

  /** The jobs that have ended, oldest first. */
  ended(): readonly (readonly [string, JobSummary])[] {
    return this.roots().flatMap((root) => {
      const summary = this.#summaries.get(root);
      return summary?.status === undefined ? [] : [[root, summary] as const];
    });
  }

  /** The job whose uuid begins so. @throws PmanError conflict when there are several */
  withShortName(name: string): string | undefined {
    return this.#shortNames.find(name);
  }

  /** Whether the uuid of a job begins so. */
  hasBeginning(beginning: string): boolean {
    return this.#shortNames.has(beginning);
  }

  shortNameOf(root: string): string {
    return this.#shortNames.of(root);
  }

  /** The job that was sent with an idempotency key. */
  withKey(key: string): string | undefined {
    return this.#byKey.get(key);
  }

  /** The jobs with this leaf, oldest first; undefined when that leaf is not indexed. */
  find(key: string, value: JsonValue): readonly string[] | undefined {
    if (key !== 'jid' && key !== 'auid') return undefined;
    const text = indexedText(key, value);
    return text === undefined ? [] : (this.#byValue[key].get(text)?.all() ?? []);
  }

  /** The jobs of a state, with a label `name=value`, or that something else than this host runs, oldest first. */
  in(kind: ListKind, name: string): readonly string[] {
    const lists = { state: this.#byState, label: this.#byLabel, runsOn: this.#byPlace };
    return lists[kind].get(name)?.all() ?? [];
  }

  #namesIn(list: Map<string, RootList>, summary: JobSummary): readonly string[] {
    if (list === this.#byState) return [stateIn(summary)];
    if (list === this.#byLabel) return labelsIn(summary);
    return summary.runsOn === undefined ? [] : [summary.runsOn];
  }

  #list(root: string, known: JobSummary | undefined, summary: JobSummary): void {
    const state = stateIn(summary);
    if (known === undefined || stateIn(known) !== state) {
      if (known !== undefined) dropFrom(this.#byState, stateIn(known), new Set([root]));
      addTo(this.#byState, state, root);
    }
    if (known?.runsOn === undefined && summary.runsOn !== undefined) {
      addTo(this.#byPlace, summary.runsOn, root);
    }
    // The labels of a job do not change: they are read once.
    if (known?.labels !== undefined) return;
    for (const label of labelsIn(summary)) addTo(this.#byLabel, label, root);
  }

  #listOf(key: (typeof KEYS)[number], value: string): RootList {
    const known = this.#byValue[key].get(value);
    if (known !== undefined) return known;
    const list = new RootList();
    this.#byValue[key].set(value, list);
    return list;
  }

  #drop(key: (typeof KEYS)[number], value: JsonValue | undefined, gone: ReadonlySet<string>): void {
    const text = indexedText(key, value);
    if (text === undefined) return;
    const list = this.#byValue[key].get(text);
    list?.remove(gone);
    if (list?.size === 0) this.#byValue[key].delete(text);
  }

  #dropKey(root: string, summary: JobSummary | undefined): void {
    const key = summary?.key;
    if (key !== undefined && this.#byKey.get(key) === root) this.#byKey.delete(key);
  }
}

const stateIn = ({ state }: JobSummary) => state ?? ACTIVE;
const labelsIn = ({ labels = {} }: JobSummary) =>
  Object.entries(labels).map(([name, value]) => `${name}=${value}`);

function addTo(lists: Map<string, RootList>, name: string, root: string): void {
  const list = lists.get(name) ?? new RootList();
  list.add(root);
  lists.set(name, list);
}

function dropFrom(lists: Map<string, RootList>, name: string, gone: ReadonlySet<string>): void {
  const list = lists.get(name);
  list?.remove(gone);
  if (list?.size === 0) lists.delete(name);
}

/** An integer `jid` is stored as its text (protocol a.7), and asked for by either. */
function indexedText(key: (typeof KEYS)[number], value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (key !== 'jid') return undefined;
  if (typeof value === 'number' && Number.isInteger(value)) return String(value);
  return value instanceof ExactNumber && /^-?\d+$/.test(value.text) ? value.text : undefined;
}
