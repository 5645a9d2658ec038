import { UsageError } from '../errors.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { fieldLine, tableLines } from '../terminal/table.ts';
import { type Flag, flagValue, type Words } from './flagWords.ts';
import {
  columnNames,
  fieldsOf,
  type Listed,
  OF_WHOLE_JOBS,
  TIME_FORMS,
  type TimeForm,
  terminalColumns,
} from './jobColumns.ts';
import { shortId } from './jobText.ts';
import type { Session } from './session.ts';
import { SHORT, type Short, type ShownJob } from './shownJob.ts';

/** The flags of every verb that prints jobs. */
export const PRINT_FLAGS: readonly Flag[] = [
  { name: 'json', help: 'one document for programs, with the names of the API' },
  { name: 'quiet', short: 'q', help: 'ids only' },
  { name: 'format', value: 'TEXT', help: "a line a job: '{id} {state} {usage.wallSeconds}'" },
];

/** Those of lists, beside them. */
export const TABLE_FLAGS: readonly Flag[] = [
  ...PRINT_FLAGS,
  {
    name: 'output',
    short: 'o',
    value: 'COLUMNS',
    help: 'wide, or names: id,name,state,age,time,user,where,…',
  },
  { name: 'header', help: 'the names of the columns in a pipe, too' },
  { name: 'time', value: 'FORM', among: TIME_FORMS, help: 'age, local or iso' },
];

/** How a list is printed; undefined where programs read it in another form. */
export type PrintForm =
  | { readonly kind: 'json' }
  | { readonly kind: 'quiet' }
  | { readonly kind: 'format'; readonly format: string }
  | {
      readonly kind: 'table';
      readonly names: readonly string[];
      readonly isChosen: boolean;
      readonly hasHeader: boolean;
      readonly time: TimeForm;
    };

/** @throws UsageError for columns that there are not, and for two forms at once */
export function printForm(words: Words): PrintForm {
  const { switches } = words;
  const format = flagValue(words, 'format');
  const forms = [switches.has('json'), switches.has('quiet'), format !== undefined];
  if (forms.filter(Boolean).length > 1) {
    throw new UsageError('--json, -q and --format are three forms: take one');
  }
  if (switches.has('json')) return { kind: 'json' };
  if (switches.has('quiet')) return { kind: 'quiet' };
  if (format !== undefined) return { kind: 'format', format };
  const asked = flagValue(words, 'output');
  const time = (flagValue(words, 'time') ?? 'age') as TimeForm;
  const names = columnNames(asked);
  return {
    kind: 'table',
    names,
    isChosen: asked !== undefined && asked !== 'wide',
    hasHeader: switches.has('header'),
    time,
  };
}

/** Which members of jobs have to be asked for to print them: all of them, unless it says which. */
export function membersFor(form: PrintForm): { readonly fields?: readonly Short[] } {
  const isShort =
    form.kind === 'quiet' ||
    (form.kind === 'table' && !form.names.some((name) => OF_WHOLE_JOBS.includes(name)));
  return isShort ? { fields: SHORT } : {};
}

/** The lines that show jobs: a table on a terminal, fields with tabs between in a pipe. */
export function jobLines(
  { streams, style }: Pick<Session, 'streams' | 'style'>,
  jobs: readonly Listed[],
  form: PrintForm & { kind: 'table' },
  nowMs: number,
): readonly string[] {
  const { out, signs } = streams;
  if (!out.isTerminal) {
    const lines = jobs.map((job) => fieldLine(fieldsOf(form.names, job, nowMs).map(oneLine)));
    return form.hasHeader
      ? [fieldLine(form.names.map((name) => name.toUpperCase())), ...lines]
      : lines;
  }
  const columns = terminalColumns(
    form.names,
    { nowMs, time: form.time, style, signs },
    form.isChosen,
  );
  const options = { columns: out.columns(), header: style.dim, mark: signs.mark };
  return jobs.length === 0 ? [] : tableLines(columns, jobs, options);
}

/** What one job is in a form that is no table. */
export function jobLine(job: ShownJob, form: Exclude<PrintForm, { kind: 'table' }>): string {
  switch (form.kind) {
    case 'json':
      return JSON.stringify(job);
    case 'quiet':
      return shortId(job.id);
    case 'format':
      return formatted(form.format, job);
  }
}

/**
 * `{id} {state} {usage.wallSeconds}`: members of the job as the API names them, and `{short}`. What has no value is empty.
 * @throws UsageError for a member that no job has
 */
export function formatted(format: string, job: ShownJob): string {
  return format.replaceAll('\\t', '\t').replace(/\{(\w+(?:\.\w+)*)\}/g, (_, path: string) => {
    if (path === 'short') return shortId(job.id);
    const names = path.split('.');
    if (!Object.hasOwn(job, names[0] ?? '')) {
      throw new UsageError(
        `--format: a job has no ${names[0]}; there are: ${Object.keys(job).join(', ')}`,
      );
    }
    const value = names.reduce<unknown>(memberOf, job);
    if (value === null || value === undefined) return '';
    return typeof value === 'object' ? JSON.stringify(value) : oneLine(String(value));
  });
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
