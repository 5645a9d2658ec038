import { amount, files, rate, span, took } from './transferWords.ts';

/** How far a transfer is. */
export interface TransferState {
  /** Of what is sent. */
  readonly bytes: number;
  readonly totalBytes: number;
  readonly files: number;
  readonly totalFiles: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | undefined;
}

/** The signs of a terminal that knows UTF-8, or of one that does not. */
export interface Signs {
  readonly full: string;
  readonly empty: string;
  readonly done: string;
  readonly cut: string;
}

export const UTF8_SIGNS: Signs = { full: '█', empty: '░', done: '✓', cut: '…' };
export const ASCII_SIGNS: Signs = { full: '#', empty: '-', done: '+', cut: '~' };

const BAR_WIDTH = 30;
const LEAST_BAR = 5;

/** The line of a terminal of so many columns: ` 62 %  ███░░  788 MiB  94 MiB/s  5 s left  214/318`. */
export function barLine(state: TransferState, columns: number, signs: Signs): string {
  const share = shareOf(state);
  const words = facts(state).join('  ');
  const start = `${String(Math.floor(share * 100)).padStart(3)} %`;
  const width = Math.min(BAR_WIDTH, columns - 1 - start.length - words.length - 4);
  const full = Math.round(width * share);
  const bar = signs.full.repeat(Math.max(0, full)) + signs.empty.repeat(Math.max(0, width - full));
  const line = width < LEAST_BAR ? `${start}  ${words}` : `${start}  ${bar}  ${words}`;
  return line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}${signs.cut}`;
}

/** The same without a bar, for a file or a pipe. */
export function plainLine(state: TransferState): string {
  return [`${Math.floor(shareOf(state) * 100)} %`, ...facts(state)].join('  ');
}

/** From 0 to 1. */
export function shareOf({ bytes, totalBytes }: TransferState): number {
  return totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
}

function facts(state: TransferState): string[] {
  const { bytes, bytesPerSecond, secondsLeft } = state;
  return [
    amount(bytes),
    rate(bytesPerSecond),
    ...(secondsLeft === undefined ? [] : [`${span(secondsLeft)} left`]),
    `${state.files}/${state.totalFiles}`,
  ];
}

/** What a transfer came to. */
export interface TransferSummary {
  /** Files that were sent, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Files that the other side had. */
  readonly alreadyThere: number;
}

/** `✓ 318 files, 1.24 GiB in 13.4 s (95 MiB/s), 12 were there already`. */
export function summaryLine(summary: TransferSummary, signs: Signs): string {
  const { bytes, seconds, alreadyThere } = summary;
  if (summary.files === 0 && alreadyThere > 0) {
    const all = alreadyThere === 1 ? 'the file was' : `all ${alreadyThere} files were`;
    return `${signs.done} ${all} there already (looked for ${took(seconds)})`;
  }
  const speed = seconds > 0 ? ` (${rate(bytes / seconds)})` : '';
  const there = alreadyThere === 1 ? '1 was there already' : `${alreadyThere} were there already`;
  const moved = `${files(summary.files)}, ${amount(bytes)} in ${took(seconds)}${speed}`;
  return `${signs.done} ${moved}${alreadyThere === 0 ? '' : `, ${there}`}`;
}
