import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EXIT, SSH_EXIT } from '../../crunner/cli/exitCodes.ts';
import { CAUSES } from '../../lib/jobs/causeWords.ts';
import { JOB_STATES, REASONS } from '../../lib/jobs/states.ts';
import { EXIT_CODES } from '../../lib/purl/failure.ts';
import {
  FAILED,
  INTERRUPTED,
  PMAN_FAILED,
  TIMED_OUT,
  WRONG_USE,
} from '../../lib/verbs/verbExit.ts';
import { HTTP_STATUS } from '../../lib/wire/reply.ts';

const page = readFileSync('docs/troubleshooting.md', 'utf8');

/** The rows of the tables whose head begins with these cells, without marks of code; all tables of that head together. */
function rowsOf(head: string): readonly (readonly string[])[] {
  const lines = page.split('\n');
  return lines.flatMap((line, i) => {
    if (!line.startsWith(`| ${head} |`)) return [];
    const end = lines.findIndex((other, k) => k > i && !other.startsWith('|'));
    return lines.slice(i + 2, end).map((row) =>
      row
        .slice(2)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
  });
}
const plain = (cell = '') => cell.replaceAll('`', '');
const sorted = (texts: readonly string[]) => [...new Set(texts)].sort();

/** What the sources write into records as causes: the text up to what varies. */
function hostCauses(): readonly string[] {
  const folders = ['crunner/detached', 'crunner/job', 'lib/jobs/host'];
  const texts = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(folder, file), 'utf8')),
  );
  const patterns = [
    /\bcause(?: =|:)\s+[`']([^`'$]{4,}?)\s*[`'$:]/g,
    /\bcause \?\? '([^']+)'/g,
    /: [`'](the process that watched it ended[^`'(]+?) \(/g,
    /progressOf\(tree\)\.started\.length, '([^']+)'/g,
    /\? '(not run)' : '(could not be started)'/g,
    /`(killed by) \$/g,
    /return `(more than) \$/g,
  ];
  const found = texts.flatMap((text) =>
    patterns.flatMap((pattern) => [...text.matchAll(pattern)].flatMap(([, ...words]) => words)),
  );
  return sorted(found.filter((words) => words !== undefined));
}

describe('docs/troubleshooting.md', () => {
  it('has every code of a refusal, with its status', () => {
    const rows = rowsOf('code | status').map(([code, status]) => [plain(code), Number(status)]);
    expect(Object.fromEntries(rows)).toEqual(HTTP_STATUS);
  });

  it('has the codes of the client, and no others', () => {
    const own = readdirSync('lib/client').flatMap((file) =>
      [...readFileSync(join('lib/client', file), 'utf8').matchAll(/ClientError\(\s*'(\w+)'/g)].map(
        ([, code = '']) => code,
      ),
    );
    const rows = rowsOf('code | means').map(([code]) => plain(code));
    expect(sorted(rows)).toEqual(sorted(own));
  });

  it('has what /readyz says', () => {
    const files = ['lib/server/readiness.ts', 'lib/jobs/host/hostRuns.ts'];
    const source = files.map((file) => readFileSync(file, 'utf8')).join('');
    const said = [...source.matchAll(/(?:return|\?|#problem =) '([^']+ [^']+)'/g)].map(
      ([, words = '']) => words,
    );
    expect(sorted(rowsOf('it says').map(([words]) => plain(words)))).toEqual(sorted(said));
  });

  it('has every state and every reason of a job', () => {
    expect(rowsOf('state').map(([state]) => plain(state))).toEqual([...JOB_STATES]);
    expect(rowsOf('reason').map(([code]) => plain(code))).toEqual(Object.keys(REASONS));
  });

  it('has every cause of container jobs', () => {
    const rows = rowsOf('cause begins with | do').map(([words]) => plain(words));
    expect(sorted(rows)).toEqual(sorted(Object.values(CAUSES)));
  });

  it('has every cause of jobs of this host', () => {
    const rows = rowsOf('cause begins with | means').map(
      ([words = '']) => /`([^`]+)`/.exec(words)?.[1] ?? '',
    );
    const general = ['ended by a kill request', 'ended with pman', 'time limit'];
    expect(sorted(rows.filter((words) => !general.includes(words)))).toEqual(hostCauses());
    expect(rows).toEqual(expect.arrayContaining(general));
  });

  it('has every exit code of purl, by its name', () => {
    const rows = rowsOf('exit code | name').flatMap(([code, names = '']) =>
      names.split(' ').map((name) => [plain(name), Number(code)] as const),
    );
    expect(Object.fromEntries(rows)).toEqual(EXIT_CODES);
  });

  it('has every exit code of the verbs', () => {
    const codes = [FAILED, WRONG_USE, TIMED_OUT, PMAN_FAILED, INTERRUPTED].map(String);
    expect(
      rowsOf('exit code of a verb').flatMap(([code = '']) => /^\d+$/.exec(code) ?? []),
    ).toEqual(codes);
  });

  it('has every exit code of crunner', () => {
    const codes = [...Object.values(EXIT), ...Object.values(SSH_EXIT)].map(String);
    expect(rowsOf('exit code | do').map(([code]) => code)).toEqual(
      sorted(codes).toSorted((a, b) => Number(a) - Number(b)),
    );
  });
});
