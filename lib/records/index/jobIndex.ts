import type { JsonValue } from '../../wire/json.ts';
import type { LineParts } from './indexLine.ts';
import { JobLook } from './jobLook.ts';
import type { JobSummary, OutlinePlace } from './jobSummary.ts';
import { indexedText, JobTable } from './jobTable.ts';
import { JobRows, type RootList } from './listedJobs.ts';
import { RowList } from './orderedRows.ts';
import { RowGroups } from './rowGroups.ts';
import { jobCalled, shortNameOf } from './shortNames.ts';

/** What jobs are listed by, beside their names. */
export type ListKind = 'state' | 'label' | 'runsOn' | 'auid' | 'jid';

/** The jobs that have not ended, among the lists by state. */
export const ACTIVE = 'active';

/** What of a job says where it is listed. */
interface Listed {
  readonly bytes: number;
  readonly state: string;
  readonly runsOn: JobSummary['runsOn'];
  readonly hasLabels: boolean;
}

/** Finds jobs by what clients ask for: all of them in order, by `jid` and `auid`, by state, and by label. */
export class JobIndex {
  readonly #table = new JobTable();
  readonly #all = new RowList(this.#table.roots);
  readonly #byState = new RowGroups(this.#table.roots);
  readonly #byLabel = new RowGroups(this.#table.roots);
  readonly #byPlace = new RowGroups(this.#table.roots);
  readonly #beginningWith = (beginning: string) => this.#table.roots.beginningWith(beginning);
  #bytes = 0;

  /** Makes room for so many jobs. */
  reserve(count: number): void {
    this.#table.reserve(count);
    this.#all.reserve(count);
  }

  has(root: string): boolean {
    return this.#table.roots.rowOf(root) >= 0;
  }

  /** How many jobs there are. */
  get size(): number {
    return this.#table.roots.count;
  }

  /** What all of them take on the disk that have ended. */
  get bytes(): number {
    return this.#bytes;
  }

  get(root: string): JobSummary | undefined {
    const row = this.#table.roots.rowOf(root);
    return row < 0 ? undefined : this.#table.summaryAt(row);
  }

  /** The same, looked up as it is asked for; only good until others get their turn. */
  look(root: string): JobLook | undefined {
    const row = this.#table.roots.rowOf(root);
    return row < 0 ? undefined : new JobLook(this.#table, row);
  }

  /** All jobs, oldest first. */
  roots(): JobRows {
    return new JobRows(this.#table, this.#all);
  }

  /** Takes in a job, or new knowledge of one that is known: as a rule how it has ended. @throws Error for no job root */
  put(root: string, summary: JobSummary): void {
    const count = this.size;
    const row = this.#table.rowFor(root);
    const before = this.size > count ? undefined : this.#listed(row);
    this.#table.write(row, summary);
    this.#list(row, before);
  }

  /** Takes in a line of the index file; false where it names no job. */
  putLine(bytes: Buffer, parts: LineParts): boolean {
    const count = this.size;
    const row = this.#table.rowForBytes(bytes, parts.root, parts.rootEnd);
    if (row < 0) return false;
    const before = this.size > count ? undefined : this.#listed(row);
    this.#table.writeLine(row, bytes, parts);
    this.#list(row, before);
    return true;
  }

  /** Takes down where the outline of a job is kept, if it is. */
  putOutline(root: string, place: OutlinePlace | undefined): void {
    const row = this.#table.roots.rowOf(root);
    if (row >= 0) this.#table.outlines.put(row, place);
  }

  /** Where the outline of a job is kept. */
  outlineOf(root: string): OutlinePlace | undefined {
    const row = this.#table.roots.rowOf(root);
    return row < 0 ? undefined : this.#table.outlines.at(row);
  }

  /** Where all outlines are kept. */
  *outlines(): Generator<OutlinePlace, void, undefined> {
    for (let place = 0; place < this.#all.length; place += 1) {
      const outline = this.#table.outlines.at(this.#all.at(place));
      if (outline !== undefined) yield outline;
    }
  }

  /** How many rows there are, free ones too. */
  get rows(): number {
    return this.#table.roots.end;
  }

  /** Forgets those that something is not true of. @param whenNot is told each of them before */
  keep(isTrue: (row: number) => boolean, whenNot: (root: string) => void): void {
    const gone = new Set<number>();
    for (let place = 0; place < this.#all.length; place += 1) {
      const row = this.#all.at(place);
      if (isTrue(row)) continue;
      gone.add(row);
      whenNot(this.#table.roots.rootAt(row));
    }
    this.#remove(gone);
  }

  /** The row of a job, for `keep`; -1 where it is not known. */
  rowOf(root: string): number {
    return this.#table.roots.rowOf(root);
  }

  remove(gone: ReadonlySet<string>): void {
    const rows = new Set<number>();
    for (const root of gone) {
      const row = this.#table.roots.rowOf(root);
      if (row >= 0) rows.add(row);
    }
    this.#remove(rows);
  }

  /** The jobs that have ended, oldest first. */
  *ended(): Generator<readonly [string, JobSummary], void, undefined> {
    for (let place = 0; place < this.#all.length; place += 1) {
      const row = this.#all.at(place);
      if (this.#table.statusAt(row) === undefined) continue;
      yield [this.#table.roots.rootAt(row), this.#table.summaryAt(row)];
    }
  }

  /** The job whose uuid begins so. @throws PmanError conflict when there are several */
  withShortName(name: string): string | undefined {
    return jobCalled(name, this.#beginningWith);
  }

  /** The jobs whose uuid begins so, with 4 characters or more. */
  beginningWith(beginning: string): readonly string[] {
    return this.#beginningWith(beginning);
  }

  shortNameOf(root: string): string {
    return shortNameOf(root, this.#beginningWith);
  }

  /** The job that was sent with an idempotency key. */
  withKey(key: string): string | undefined {
    const rows = this.#table.key.rowsOf(key);
    const last = rows.at(rows.length - 1) ?? -1;
    return last < 0 ? undefined : this.#table.roots.rootAt(last);
  }

  /** The jobs with this leaf, oldest first; undefined when that leaf is not indexed. */
  find(key: string, value: JsonValue): RootList | undefined {
    if (key !== 'jid' && key !== 'auid') return undefined;
    const text = indexedText(key, value);
    const rows = text === undefined ? [] : this.#table[key].rowsOf(text);
    if (rows instanceof RowList) return new JobRows(this.#table, rows);
    return rows.map((row) => this.#table.roots.rootAt(row));
  }

  /**
   * The jobs of a state, with a label `name=value`, that something else than this host runs, of an auid or of a jid, oldest
   * first.
   */
  in(kind: ListKind, name: string): JobRows {
    const rows = this.#rowsIn(kind, name);
    return rows instanceof RowList
      ? new JobRows(this.#table, rows)
      : JobRows.of(this.#table, rows ?? []);
  }

  #rowsIn(kind: ListKind, name: string): RowList | readonly number[] | undefined {
    switch (kind) {
      case 'state':
        return this.#byState.get(name);
      case 'label':
        return this.#byLabel.get(name);
      case 'runsOn':
        return this.#byPlace.get(name);
      case 'auid':
        return this.#table.auid.rowsOf(name);
      case 'jid':
        return this.#table.jid.rowsOf(name);
    }
  }

  #listed(row: number): Listed {
    return {
      bytes: this.#table.bytesAt(row),
      state: this.#table.stateAt(row) ?? ACTIVE,
      runsOn: this.#table.runsOnAt(row),
      hasLabels: this.#table.hasLabels(row),
    };
  }

  #list(row: number, before: Listed | undefined): void {
    const { bytes, state, runsOn, hasLabels } = this.#listed(row);
    this.#bytes += bytes - (before?.bytes ?? 0);
    if (before === undefined) this.#all.add(row);
    if (before?.state !== state) {
      if (before !== undefined) this.#byState.remove(before.state, new Set([row]));
      this.#byState.add(state, row);
    }
    if (before?.runsOn === undefined && runsOn !== undefined) this.#byPlace.add(runsOn, row);
    // The labels of a job do not change: they are read once.
    if (!hasLabels || before?.hasLabels === true) return;
    for (const label of this.#labelsOf(row)) this.#byLabel.add(label, row);
  }

  #remove(gone: ReadonlySet<number>): void {
    if (gone.size === 0) return;
    // Each list is gone through once, however many of its jobs go: one user may have them all.
    const touched = {
      state: new Set<string>(),
      place: new Set<string>(),
      label: new Set<string>(),
    };
    for (const row of gone) {
      const { bytes, state, runsOn, hasLabels } = this.#listed(row);
      this.#bytes -= bytes;
      touched.state.add(state);
      if (runsOn !== undefined) touched.place.add(runsOn);
      if (hasLabels) for (const label of this.#labelsOf(row)) touched.label.add(label);
    }
    for (const name of touched.state) this.#byState.remove(name, gone);
    for (const name of touched.place) this.#byPlace.remove(name, gone);
    for (const name of touched.label) this.#byLabel.remove(name, gone);
    this.#all.remove(gone);
    this.#table.remove(gone);
  }

  #labelsOf(row: number): readonly string[] {
    const labels = Object.entries(this.#table.labelsAt(row) ?? {});
    return labels.map(([name, value]) => `${name}=${value}`);
  }
}
