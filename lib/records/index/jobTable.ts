import { ExactNumber, type JsonValue } from '../../wire/json.ts';
import { nextCapacity, numberIn, withRoom } from './columns.ts';
import { EndColumns } from './endColumns.ts';
import { FewWords } from './fewWords.ts';
import type { LineParts } from './indexLine.ts';
import type { JobSummary } from './jobSummary.ts';
import { OutlineColumns } from './outlineColumns.ts';
import { RootTable } from './rootTable.ts';
import { LooseLists } from './rowGroups.ts';
import type { SoughtText } from './soughtText.ts';
import { TextLists } from './textLists.ts';
import { Texts } from './texts.ts';

const NONE = -1;
const STATES = [undefined, 'succeeded', 'failed', 'killed', 'lost'] as const;
const PLACES = [undefined, 'ssh', 'container'] as const;
const KEYS = ['jid', 'auid'] as const;
/** What of a summary is as a rule a text, and may be any JSON. */
type Odd = Partial<Pick<JobSummary, (typeof KEYS)[number]>>;

/** Summaries of jobs, a row each, in columns: a million of them as objects would take a gigabyte. */
export class JobTable {
  readonly roots = new RootTable();
  readonly jid = new TextLists(this.roots);
  readonly auid = new TextLists(this.roots);
  readonly key = new TextLists(this.roots);
  readonly ends = new EndColumns();
  readonly outlines = new OutlineColumns();
  /** Lists that were made of rows for one question. */
  readonly loose = new LooseLists();
  readonly #texts = new Texts();
  #cmds = new Int32Array(0);
  #labels = new Int32Array(0);
  #digests = new Int32Array(0);
  #bytes = new Float64Array(0);
  #statuses = new Uint8Array(0);
  #states = new Uint8Array(0);
  #places = new Uint8Array(0);
  #isLong = new Uint8Array(0);
  readonly #words = new FewWords();
  readonly #odd = new Map<number, Odd>();

  /** Makes room for so many jobs. */
  reserve(count: number): void {
    this.roots.reserve(count);
    this.jid.reserve(count, count);
    this.#texts.reserve(count);
    this.#growTo(count);
  }

  /** The row of a root; it is new when nothing is known of it. */
  rowFor(root: string): number {
    const before = this.roots.count;
    const row = this.roots.rowFor(root);
    if (this.roots.count > before) this.#begin(row);
    return row;
  }

  /** The same for a root that stands in some bytes; -1 when that is none. */
  rowForBytes(bytes: Buffer, from: number, to: number): number {
    const before = this.roots.count;
    const row = this.roots.rowForBytes(bytes, from, to);
    if (this.roots.count > before) this.#begin(row);
    return row;
  }

  /** Takes down a line of the index file. */
  writeLine(row: number, bytes: Buffer, parts: LineParts): void {
    this.#forget(row);
    setPart(this.jid, row, bytes, parts.jid, parts.jidEnd);
    setPart(this.auid, row, bytes, parts.auid, parts.auidEnd);
    setPart(this.key, row, bytes, parts.key, parts.keyEnd);
    this.#cmds[row] = this.#texts.holdBytes(bytes, parts.cmd, parts.cmdEnd);
    if (parts.digest !== NONE) {
      this.#digests[row] = this.#texts.holdBytes(bytes, parts.digest, parts.digestEnd);
    }
    this.#bytes[row] = parts.bytes;
    this.ends.writeLine(row, bytes, parts);
    this.outlines.write(row, parts.outlineAt, parts.outlineSize);
    this.#statuses[row] = this.#words.numberOf(parts.status);
    this.#states[row] = codeOf(STATES, parts.state);
    this.#places[row] = codeOf(PLACES, parts.runsOn);
    this.#isLong[row] = parts.isLong ? 1 : 0;
  }

  /** Takes down what is known of a job. */
  write(row: number, summary: JobSummary): void {
    const { status, state, bytes, cmd, isLong, runsOn, labels, key, digest } = summary;
    this.#forget(row);
    const odd: Record<string, JsonValue> = {};
    for (const name of KEYS) {
      const value = summary[name];
      this[name].set(row, indexedText(name, value));
      if (value !== undefined && typeof value !== 'string') odd[name] = value;
    }
    if (Object.keys(odd).length > 0) this.#odd.set(row, odd);
    this.key.set(row, key);
    this.#cmds[row] = this.#hold(cmd);
    this.#labels[row] = this.#hold(labels && JSON.stringify(labels));
    this.#digests[row] = this.#hold(digest);
    this.#bytes[row] = bytes ?? Number.NaN;
    this.ends.write(row, summary);
    this.outlines.put(row, summary.outline);
    this.#statuses[row] = this.#words.numberOf(status);
    this.#states[row] = codeOf(STATES, state);
    this.#places[row] = codeOf(PLACES, runsOn);
    this.#isLong[row] = isLong ? 1 : 0;
  }

  /** The jobs are gone; they are in no list of others any more. */
  remove(rows: ReadonlySet<number>): void {
    for (const lists of [this.jid, this.auid, this.key]) lists.unlistAll(rows);
    this.loose.remove(rows);
    for (const row of rows) {
      this.#forget(row);
      this.roots.remove(row);
    }
  }

  statusAt(row: number): string | undefined {
    return this.#words.at(this.#statuses[row] ?? 0);
  }

  stateAt(row: number): JobSummary['state'] {
    return STATES[this.#states[row] ?? 0];
  }

  runsOnAt(row: number): JobSummary['runsOn'] {
    return PLACES[this.#places[row] ?? 0];
  }

  /** What the job takes on the disk; 0 where that is not known. */
  bytesAt(row: number): number {
    return this.#bytes[row] || 0;
  }

  cmdAt(row: number): string | undefined {
    return this.#textAt(this.#cmds, row);
  }

  /** Whether the command, as far as it is known here, has a text in it. */
  hasInCmd(row: number, sought: SoughtText): boolean {
    const id = this.#cmds[row] ?? NONE;
    return id === NONE ? sought.isIn('') : this.#texts.has(id, sought);
  }

  /** The same of the name that its client has given it. */
  hasInJid(row: number, sought: SoughtText): boolean {
    if (this.#odd.size > 0 && this.#odd.get(row)?.jid !== undefined)
      return sought.isIn(String(this.jidAt(row)));
    return this.jid.has(row, sought);
  }

  /** Whether a job may have `text` in its command, and `find` there, in its name, or as the beginning of its uuid. */
  mayHave(row: number, text: SoughtText | undefined, find: SoughtText | undefined): boolean {
    // The rest of a long command is in its record, and so is all of a job of which nothing is known yet.
    if (this.#isLong[row] === 1 || this.#cmds[row] === NONE) return true;
    if (text !== undefined && !this.hasInCmd(row, text)) return false;
    return (
      find === undefined ||
      this.hasInCmd(row, find) ||
      this.hasInJid(row, find) ||
      this.hasUuid(row, find)
    );
  }

  /** Whether the uuid of the job begins with a text. */
  hasUuid(row: number, sought: SoughtText): boolean {
    return sought.mayBegin(this.roots.uuidBitsAt(row)) && sought.begins(this.roots.rootAt(row));
  }

  isLongAt(row: number): true | undefined {
    return this.#isLong[row] === 1 ? true : undefined;
  }

  jidAt(row: number): JsonValue | undefined {
    return this.#valueAt('jid', row);
  }

  auidAt(row: number): JsonValue | undefined {
    return this.#valueAt('auid', row);
  }

  labelsAt(row: number): JobSummary['labels'] {
    const text = this.#textAt(this.#labels, row);
    return text === undefined ? undefined : (JSON.parse(text) as JobSummary['labels']);
  }

  digestAt(row: number): string | undefined {
    return this.#textAt(this.#digests, row);
  }

  /** All that is known of a job; as `write` was given it. */
  summaryAt(row: number): JobSummary {
    const summary: { -readonly [Name in keyof JobSummary]: JobSummary[Name] } = {};
    const bytes = numberIn(this.#bytes, row);
    const [jid, auid] = [this.jidAt(row), this.auidAt(row)];
    const [status, state, cmd] = [this.statusAt(row), this.stateAt(row), this.cmdAt(row)];
    const [runsOn, labels] = [this.runsOnAt(row), this.labelsAt(row)];
    const [key, digest] = [this.key.get(row), this.digestAt(row)];
    if (jid !== undefined) summary.jid = jid;
    if (auid !== undefined) summary.auid = auid;
    if (status !== undefined) summary.status = status;
    if (state !== undefined) summary.state = state;
    if (bytes !== undefined) summary.bytes = bytes;
    if (cmd !== undefined) summary.cmd = cmd;
    if (this.isLongAt(row)) summary.isLong = true;
    if (runsOn !== undefined) summary.runsOn = runsOn;
    if (labels !== undefined) summary.labels = labels;
    if (key !== undefined) summary.key = key;
    if (digest !== undefined) summary.digest = digest;
    const outline = this.outlines.at(row);
    return { ...summary, ...this.ends.at(row), ...(outline && { outline }) };
  }

  hasLabels(row: number): boolean {
    return this.#labels[row] !== NONE;
  }

  #begin(row: number): void {
    if (row >= this.#cmds.length) this.#growTo(nextCapacity(row + 1));
    for (const lists of [this.jid, this.auid, this.key]) lists.begin(row);
    this.#cmds[row] = NONE;
    this.#labels[row] = NONE;
    this.#digests[row] = NONE;
    this.#bytes[row] = Number.NaN;
    this.ends.begin(row);
    this.outlines.put(row, undefined);
    this.#statuses[row] = 0;
    this.#states[row] = 0;
    this.#places[row] = 0;
    this.#isLong[row] = 0;
  }

  /** Lets go of the texts of a row that it is not listed under. */
  #forget(row: number): void {
    for (const column of [this.#cmds, this.#labels, this.#digests]) {
      const id = column[row] ?? NONE;
      if (id !== NONE) this.#texts.release(id);
      column[row] = NONE;
    }
    this.ends.forget(row);
    this.outlines.put(row, undefined);
    this.#odd.delete(row);
  }

  #valueAt(name: (typeof KEYS)[number], row: number): JsonValue | undefined {
    const odd = this.#odd.size === 0 ? undefined : this.#odd.get(row)?.[name];
    return odd === undefined ? this[name].get(row) : odd;
  }

  #textAt(column: Int32Array, row: number): string | undefined {
    const id = column[row] ?? NONE;
    return id === NONE ? undefined : this.#texts.get(id);
  }

  #hold(text: string | undefined): number {
    return text === undefined ? NONE : this.#texts.hold(text);
  }

  #growTo(count: number): void {
    this.#cmds = withRoom(this.#cmds, count);
    this.#labels = withRoom(this.#labels, count);
    this.#digests = withRoom(this.#digests, count);
    this.#bytes = withRoom(this.#bytes, count);
    this.ends.growTo(count);
    this.outlines.growTo(count);
    this.#statuses = withRoom(this.#statuses, count);
    this.#states = withRoom(this.#states, count);
    this.#places = withRoom(this.#places, count);
    this.#isLong = withRoom(this.#isLong, count);
  }
}

function setPart(lists: TextLists, row: number, bytes: Buffer, from: number, to: number): void {
  if (from === NONE) lists.set(row, undefined);
  else lists.setBytes(row, bytes, from, to);
}

function codeOf(names: readonly (string | undefined)[], name: string | undefined): number {
  return Math.max(names.indexOf(name), 0);
}

/** An integer `jid` is stored as its text (protocol a.7), and asked for by either. */
export function indexedText(
  key: (typeof KEYS)[number],
  value: JsonValue | undefined,
): string | undefined {
  if (typeof value === 'string') return value;
  if (key !== 'jid') return undefined;
  if (typeof value === 'number' && Number.isInteger(value)) return String(value);
  return value instanceof ExactNumber && /^-?\d+$/.test(value.text) ? value.text : undefined;
}
