import { readFileSync, writeFileSync } from 'node:fs';

/** A row of the table "Attacks tried, and what happens". */
export interface Row {
  readonly subject: string;
  readonly tried: string;
  readonly happens: string;
}

const PAGE = 'docs/security.md';
const BEGIN = '<!-- attacks: written by `npm run attack -- --write` -->';
const END = '<!-- end of attacks -->';

/** The rows that the page has. */
export function readTable(): readonly Row[] {
  const page = readFileSync(PAGE, 'utf8');
  return page
    .slice(...placeIn(page))
    .split('\n')
    .flatMap((line) => {
      const [, subject, tried, happens] = /^\| (.*?) \| (.*?) \| (.*?) \|$/.exec(line) ?? [];
      const isRow = subject !== undefined && tried !== undefined && happens !== undefined;
      return isRow && !/^(?:---|what)/.test(subject) ? [{ subject, tried, happens }] : [];
    });
}

/** Replaces the table of the page. */
export function writeTable(rows: readonly Row[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const lines = rows.map(({ subject, tried, happens }) => `| ${subject} | ${tried} | ${happens} |`);
  const table = ['| what | tried | what happens |', '| --- | --- | --- |', ...lines].join('\n');
  const [start, end] = placeIn(page);
  writeFileSync(PAGE, `${page.slice(0, start)}\n\n${table}\n\n${page.slice(end)}`);
}

/** Where the table begins and ends in the page. */
function placeIn(page: string): readonly [number, number] {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for the table: ${BEGIN}`);
  return [begin + BEGIN.length, end];
}
