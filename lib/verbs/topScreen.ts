import type { Job, RunningJobs, ServerFacts } from '../client/index.ts';
import { ageText, bytesText, shortBytes, tookText } from '../terminal/amounts.ts';
import { cutEnd, padEnd } from '../terminal/cutText.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { type Signs, UNICODE_SIGNS } from '../terminal/signs.ts';
import type { Style } from '../terminal/style.ts';
import { type Column, tableLines } from '../terminal/table.ts';
import { widthOf } from '../terminal/width.ts';
import {
  inStateColour,
  nameOf,
  shortId,
  signInColour,
  signOf,
  stateText,
  tookMs,
} from './jobText.ts';

/** A job as `top` shows it. */
export interface TopRow {
  readonly job: Job;
  readonly running: RunningJobs['jobs'][number] | undefined;
  /** Processors that it uses: 1.58 is one and a half. */
  readonly cpus: number | undefined;
}

export const SORTS = ['usual', 'cpu', 'memory', 'time', 'name'] as const;
export type Sort = (typeof SORTS)[number];

/** What whoever looks at it has chosen by keys. */
export interface TopChoice {
  readonly sort: Sort;
  readonly filter: string;
  /** Whether the filter is being typed. */
  readonly isFiltering: boolean;
  readonly onlyFailed: boolean;
  /** The id of the row that keys act on. */
  readonly selected: string | undefined;
  readonly hasHelp: boolean;
}

export const FIRST_CHOICE: TopChoice = {
  ...{ sort: 'usual', filter: '', isFiltering: false, onlyFailed: false },
  ...{ selected: undefined, hasHelp: false },
};

/** All that is shown. */
export interface TopView extends TopChoice {
  readonly url: string;
  readonly facts: ServerFacts;
  readonly failedToday: number;
  readonly jobsPerHour: number;
  readonly rows: readonly TopRow[];
  /** Processors in use, the last value last. */
  readonly history: readonly number[];
  /** A question, or what came of it, in place of the keys. */
  readonly note: string | undefined;
  /** Since when the server does not answer. */
  readonly lostAt: string | undefined;
  readonly nowMs: number;
}

export interface TopSize {
  readonly columns: number;
  readonly rows: number;
}

interface Looks {
  readonly style: Style;
  readonly signs: Signs;
}

const HELP = [
  'up down j k   choose a job          Enter  show it',
  'l             its logs, and leave   K      kill it (asks)',
  '/             filter by name        R      rerun it (asks)',
  's             sort: usual, cpu, memory, time, name',
  'f             those that failed     q      quit',
];

const KEYS = 'Enter show  l logs  K kill  R rerun  / filter  s sort  f failed  ? keys  q quit';

/** The lines of the whole terminal, none of them wider than it. */
export function topLines(view: TopView, size: TopSize, looks: Looks): readonly string[] {
  const { columns } = size;
  const { style, signs } = looks;
  const head = [headLine(view, columns, looks), loadLine(view, columns, looks)];
  const foot = view.note ?? (view.isFiltering ? `filter: ${view.filter}_` : footText(view));
  const help = view.hasHelp ? HELP.map((line) => cutEnd(line, columns, signs.mark)) : [];
  const room = Math.max(1, size.rows - head.length - 2 - help.length);
  const shown = windowOf(view, room);
  const table = tableLines(columnsOf(view, looks), shown, {
    ...{ columns, header: style.dim, mark: signs.mark },
  });
  const empty = view.rows.length === 0 ? [style.dim(emptyText(view))] : [];
  const body = [...table, ...empty].slice(0, room + 1);
  const blank = Array.from({ length: Math.max(0, room + 1 - body.length) }, () => '');
  return [...head, ...body, ...blank, ...help, style.dim(cutEnd(foot, columns, signs.mark))];
}

/** The rows around the one that is chosen. */
function windowOf({ rows, selected }: TopView, room: number): readonly TopRow[] {
  const at = Math.max(
    0,
    rows.findIndex(({ job }) => job.id === selected),
  );
  const start = Math.max(0, Math.min(at - Math.floor(room / 2), rows.length - room));
  return rows.slice(start, start + room);
}

function emptyText({ filter, onlyFailed }: TopView): string {
  if (filter !== '') return `no job fits ${JSON.stringify(filter)}`;
  return onlyFailed ? 'nothing has failed' : "no job runs or waits; pman run 'echo hello'";
}

function footText({ filter, sort, onlyFailed }: TopView): string {
  const chosen = [
    ...(onlyFailed ? ['failed'] : []),
    ...(filter === '' ? [] : [`/${filter}`]),
    ...(sort === 'usual' ? [] : [`by ${sort}`]),
  ];
  return chosen.length === 0 ? KEYS : `[${chosen.join(', ')}]  ${KEYS}`;
}

function headLine(view: TopView, columns: number, { style, signs }: Looks): string {
  const { facts, url, failedToday, lostAt } = view;
  const left = `pman ${facts.version} on ${new URL(url).host}`;
  if (lostAt !== undefined) {
    return style.yellow(cutEnd(`${left}: not connected since ${lostAt}`, columns, signs.mark));
  }
  const up = `, up ${ageText(facts.uptimeSeconds * 1000)}`;
  const counts = [
    [style.cyan(signs.running), `${facts.jobs.running} running`],
    [style.dim(signs.waiting), `${facts.jobs.waiting} waiting`],
    [failedToday > 0 ? style.red(signs.failed) : signs.failed, `${failedToday} failed today`],
  ] as const;
  const width = counts.reduce((sum, [, text]) => sum + widthOf(text) + 4, 0) - 2;
  const right = counts.map((pair) => pair.join(' ')).join('  ');
  const first = [left + up, left].find((text) => widthOf(text) + 2 + width <= columns);
  if (first === undefined) return columns < width ? cutEnd(left, columns, signs.mark) : right;
  return `${padEnd(first, columns - width)}${right}`;
}

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** The last values as small bars, the highest of them as the full one. */
export function spark(values: readonly number[], signs: Signs): string {
  if (signs !== UNICODE_SIGNS) return '';
  const most = Math.max(1, ...values);
  return values.map((value) => BARS[Math.min(7, Math.floor((value / most) * 7.99))] ?? '').join('');
}

const SPARK_WIDTH = 8;

function loadLine(view: TopView, columns: number, { style, signs }: Looks): string {
  const { rows, history, facts, jobsPerHour } = view;
  const cpus = history.at(-1) ?? 0;
  const memory = rows.reduce((sum, { running }) => sum + (running?.memoryBytes ?? 0), 0);
  const line = [
    `cpu ${spark(history.slice(-SPARK_WIDTH), signs)} ${Math.round(cpus * 100)}%`,
    `memory ${bytesText(memory)}`,
    `disk ${bytesText(facts.disk.freeBytes)} free`,
    `${jobsPerHour} ${jobsPerHour === 1 ? 'job' : 'jobs'}/h`,
  ].join('    ');
  const text = cutEnd(line, columns, signs.mark);
  return facts.disk.problem === null ? text : style.red(text);
}

function columnsOf(view: TopView, { style, signs }: Looks): readonly Column<TopRow>[] {
  const { nowMs, selected } = view;
  // The row that keys act on has a mark before the sign of its state where colours cannot mark it.
  const hasColours = style.inverse('x') !== 'x';
  const hasMark = !hasColours && selected !== undefined;
  const isSelected = ({ job }: TopRow) => job.id === selected;
  const dash = (text: string | undefined, { job }: TopRow) =>
    text ?? (job.state === 'waiting' ? '-' : '');
  const isWaiting = ({ job }: TopRow) => job.state === 'waiting';
  const bytes = (value: number | null | undefined) =>
    typeof value === 'number' ? shortBytes(value) : undefined;
  return [
    {
      name: '',
      text: (row) =>
        `${!hasMark ? '' : isSelected(row) ? '>' : ' '}${signOf(row.job.state, signs)}`,
      look: (text, { job }) => (hasMark ? text : signInColour(style, signs, job.state)),
    },
    {
      name: 'ID',
      text: ({ job }) => shortId(job.id),
      look: (text, row) => (isSelected(row) ? style.inverse(style.bold(text)) : style.bold(text)),
    },
    { name: 'NAME', text: ({ job }) => nameOf(job), cut: 'middle', most: 20 },
    {
      ...{ name: 'CPU', isNumber: true, leavesBelow: 60 },
      text: (row) =>
        dash(row.cpus === undefined ? undefined : `${Math.round(row.cpus * 100)}%`, row),
    },
    {
      ...{ name: 'MEM', isNumber: true, leavesBelow: 60 },
      text: (row) => dash(bytes(row.running?.memoryBytes), row),
    },
    {
      ...{ name: 'TIME', isNumber: true },
      text: (row) => (isWaiting(row) ? '-' : tookText(tookMs(row.job, nowMs))),
    },
    {
      ...{ name: 'OUT', isNumber: true, leavesBelow: 72 },
      text: (row) => dash(bytes(row.running?.stdoutBytes), row),
    },
    {
      ...{ name: 'LAST LINE', cut: 'end', takesRest: true },
      text: ({ job, running }) => {
        if (job.state === 'waiting')
          return `waiting${job.place === null ? '' : `, place ${job.place}`}`;
        if (job.state === 'running' || job.state === 'starting') {
          return oneLine(running?.lastLine ?? '').trim();
        }
        return stateText(job);
      },
      look: (text, { job }) =>
        job.state === 'running' ? text : inStateColour(style, job.state, text),
    },
  ];
}
