import { UsageError } from '../errors.ts';
import { ageText, shortBytes, tookText } from '../terminal/amounts.ts';
import type { Signs } from '../terminal/signs.ts';
import type { Style } from '../terminal/style.ts';
import type { Column } from '../terminal/table.ts';
import { localText } from '../terminal/wallClock.ts';
import {
  inStateColour,
  nameOf,
  shortId,
  signInColour,
  signOf,
  stateText,
  tookMs,
} from './jobText.ts';
import type { ShownJob } from './shownJob.ts';

export const TIME_FORMS = ['age', 'local', 'iso'] as const;
export type TimeForm = (typeof TIME_FORMS)[number];

/** A job in a list. */
export interface Listed {
  readonly job: ShownJob;
  /** What it has written; unless that was asked for, nobody knows. */
  readonly outBytes?: number;
}

export interface ColumnOptions {
  readonly nowMs: number;
  readonly time: TimeForm;
  readonly style: Style;
  readonly signs: Signs;
}

/** A column of a list of jobs: on a terminal, and as a field for programs. */
interface JobColumn {
  readonly column: (options: ColumnOptions) => Column<Listed>;
  /** Nothing is cut; times are RFC 3339 in UTC, lengths seconds, sizes bytes. */
  readonly field: (listed: Listed, nowMs: number) => string;
}

const number = (value: number | null | undefined) =>
  value === null || value === undefined ? '' : String(value);
const seconds = (ms: number | undefined) => (ms === undefined ? '' : String(Math.round(ms) / 1000));
const cpuSeconds = ({ usage }: ShownJob) =>
  usage === null || usage === undefined
    ? undefined
    : (usage.userSeconds ?? 0) + (usage.systemSeconds ?? 0);
const placeOf = ({ backend, image }: ShownJob) => image ?? backend ?? '';

/** Columns that show more of a job than every list knows. */
export const OF_WHOLE_JOBS: readonly string[] = ['where', 'cpu', 'mem'];

const COLUMNS: Readonly<Record<string, JobColumn>> = {
  sign: {
    column: ({ style, signs }) => ({
      name: '',
      text: ({ job }) => signOf(job.state, signs),
      look: (_, { job }) => signInColour(style, signs, job.state),
    }),
    field: () => '',
  },
  id: {
    column: ({ style }) => ({
      ...{ name: 'ID', look: style.bold },
      text: ({ job }) => shortId(job.id),
    }),
    field: ({ job }) => shortId(job.id),
  },
  name: {
    column: () => ({ name: 'NAME', cut: 'middle', most: 16, text: ({ job }) => nameOf(job) }),
    field: ({ job }) => nameOf(job),
  },
  state: {
    column: ({ style }) => ({
      name: 'STATE',
      text: ({ job }) => stateText(job),
      look: (text, { job }) => inStateColour(style, job.state, text),
    }),
    field: ({ job }) => stateText(job),
  },
  age: {
    column: ({ nowMs, time, style }) => ({
      ...{ name: 'AGE', isNumber: true, leavesBelow: 72, look: style.dim },
      text({ job }) {
        const accepted = Date.parse(job.acceptedAt);
        if (time === 'iso') return job.acceptedAt;
        return time === 'local' ? localText(accepted) : ageText(nowMs - accepted);
      },
    }),
    field: ({ job }) => job.acceptedAt,
  },
  time: {
    column: ({ nowMs }) => ({
      ...{ name: 'TIME', isNumber: true, leavesBelow: 48 },
      text: ({ job }) => tookText(tookMs(job, nowMs)),
    }),
    field: ({ job }, nowMs) => seconds(tookMs(job, nowMs)),
  },
  user: {
    column: () => ({
      ...{ name: 'USER', cut: 'end', most: 12, leavesWhenFull: true },
      text: ({ job }) => job.auid ?? '',
    }),
    field: ({ job }) => job.auid ?? '',
  },
  where: {
    column: () => ({
      ...{ name: 'WHERE', cut: 'middle', most: 16, leavesWhenFull: true },
      text: ({ job }) => placeOf(job),
    }),
    field: ({ job }) => placeOf(job),
  },
  cpu: {
    column: () => ({
      ...{ name: 'CPU', isNumber: true, leavesWhenFull: true },
      text({ job }) {
        const used = cpuSeconds(job);
        return used === undefined ? '' : tookText(used * 1000);
      },
    }),
    field: ({ job }) => number(cpuSeconds(job)),
  },
  mem: {
    column: () => ({
      ...{ name: 'MEM', isNumber: true, leavesWhenFull: true },
      text({ job }) {
        const peak = job.usage?.peakMemoryBytes ?? undefined;
        return peak === undefined ? '' : shortBytes(peak);
      },
    }),
    field: ({ job }) => number(job.usage?.peakMemoryBytes),
  },
  out: {
    column: () => ({
      ...{ name: 'OUT', isNumber: true, leavesWhenFull: true },
      text: ({ outBytes }) => (outBytes === undefined ? '' : shortBytes(outBytes)),
    }),
    field: ({ outBytes }) => number(outBytes),
  },
  command: {
    column: () => ({
      ...{ name: 'COMMAND', cut: 'end', takesRest: true, leavesBelow: 60 },
      text: ({ job }) => job.command,
    }),
    field: ({ job }) => job.command,
  },
};

const USUAL = ['id', 'name', 'state', 'age', 'time', 'command'];
const WIDE = [
  'id',
  'name',
  'state',
  'age',
  'time',
  'user',
  'where',
  'cpu',
  'mem',
  'out',
  'command',
];
const NAMES = Object.keys(COLUMNS).filter((name) => name !== 'sign');

/**
 * The columns that `-o` names: `wide`, or names with commas between.
 * @throws UsageError for a name that is none
 */
export function columnNames(asked: string | undefined): readonly string[] {
  if (asked === undefined) return USUAL;
  if (asked === 'wide') return WIDE;
  const names = asked.toLowerCase().split(',');
  const bad = names.find((name) => !NAMES.includes(name));
  if (bad === undefined) return names;
  throw new UsageError(`-o ${JSON.stringify(bad)} is none of wide, ${NAMES.join(', ')}`);
}

/** The columns on a terminal; those that somebody has chosen are never left out. */
export function terminalColumns(
  names: readonly string[],
  options: ColumnOptions,
  isChosen: boolean,
): readonly Column<Listed>[] {
  return ['sign', ...names].flatMap((name) => {
    const column = COLUMNS[name]?.column(options);
    if (column === undefined) return [];
    const { leavesBelow: _, leavesWhenFull: __, ...always } = column;
    return [isChosen ? always : column];
  });
}

/** The fields for programs. */
export function fieldsOf(names: readonly string[], listed: Listed, nowMs: number): string[] {
  return names.map((name) => COLUMNS[name]?.field(listed, nowMs) ?? '');
}
