import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { silentLogger } from '../../../../../lib/log.ts';
import { IndexFile } from '../../../../../lib/records/index/indexFile.ts';
import { JobIndex } from '../../../../../lib/records/index/jobIndex.ts';
import type { JobSummary } from '../../../../../lib/records/index/jobSummary.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

let file = '';
beforeEach(() => {
  file = join(tempDir(), 'index.jsonl');
});

/** What a file tells, by job root. */
function readOf(path: string): ReadonlyMap<string, JobSummary> {
  const index = new JobIndex();
  new IndexFile(path, silentLogger()).read(index);
  return new Map(index.ended());
}

const [a, b, c] = [1, 2, 3].map((n) => newJobRoot(n)) as [string, string, string];
const A: JobSummary = { jid: 'a}\n{', auid: 'ü', status: 'finishedSuccessfully', cmd: 'true' };
const B: JobSummary = { status: 'lost', key: 'k', digest: 'd', cmd: '' };

function written(...entries: readonly (readonly [string, JobSummary])[]): IndexFile {
  const index = new IndexFile(file, silentLogger());
  for (const [root, summary] of entries) index.append(root, summary);
  index.flush();
  return index;
}

describe('IndexFile', () => {
  it('knows nothing before anything was written, and makes no file', () => {
    expect(readOf(file).size).toBe(0);
    expect(existsSync(file)).toBe(false);
  });

  it('gives back what was added, also by several servers in turn', () => {
    written([a, A]);
    written([b, B], [a, { ...A, status: 'finishedWithError' }]);
    expect([...readOf(file)]).toEqual([
      [a, { ...A, status: 'finishedWithError' }],
      [b, B],
    ]);
  });

  it('is for nobody else to read', () => {
    written([a, A]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    new IndexFile(file, silentLogger()).rewrite([[a, A]]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('passes over a line that a crash has cut, wherever, and goes on behind it', () => {
    written([a, B], [b, A]);
    const whole = readFileSync(file);
    for (let length = whole.lastIndexOf('\n') + 1; length < whole.length; length += 1) {
      writeFileSync(file, whole.subarray(0, length));
      written([c, B]);
      expect([...readOf(file).keys()]).toEqual([a, c]);
    }
  });

  it.each(['\0\0\0', 'garbage}', '{"root": 7}', '[]}', '{}'])('passes over the line %j', (line) => {
    writeFileSync(file, `${line}\n${JSON.stringify({ root: a, ...A })}`);
    expect([...readOf(file)]).toEqual([[a, A]]);
  });

  it.each([
    ['cmd', 7],
    ['status', null],
    ['key', 7],
    ['digest', {}],
    ['exit', '0'],
    ['startUs', 'now'],
    ['cause', 7],
    ['labels', 'x'],
    ['outline', 7],
    ['outline', [0, -1]],
    ['outline', [0, 1, 2]],
  ])('passes over a line of which %s is %j: that job is read from its record', (member, value) => {
    written([a, A]);
    appendFileSync(file, `\n${JSON.stringify({ root: b, ...B, [member]: value })}`);
    expect([...readOf(file)]).toEqual([[a, A]]);
  });

  it('can be written anew, and added to after that', () => {
    const index = written([a, A], [b, B]);
    index.rewrite([[b, B]]);
    index.append(c, A);
    index.flush();
    expect([...readOf(file)]).toEqual([
      [b, B],
      [c, A],
    ]);
    new IndexFile(file, silentLogger()).rewrite([]);
    expect(readOf(file).size).toBe(0);
  });

  it('reads what was written, whatever is in it and however it is cut into slices', () => {
    const text = fc.string({ unit: 'grapheme' });
    const labels = fc.dictionary(fc.constantFrom('x', 'y z', 'ü'), text);
    const summary = fc.record(
      {
        ...{ jid: fc.oneof(text, fc.integer(), fc.constant(null)), auid: text, key: text },
        ...{ digest: text, runsOn: fc.constantFrom('ssh', 'container'), labels },
        ...{ isLong: fc.constant(true), bytes: fc.nat(), cmd: text },
        state: fc.constantFrom('succeeded', 'failed', 'killed', 'lost'),
        status: fc.constantFrom('finishedSuccessfully', 'lost'),
        exit: fc.option(fc.integer({ min: -0x7ffffffe })),
        ...{ startUs: fc.maxSafeInteger(), endUs: fc.maxSafeInteger() },
        ...{ code: fc.constantFrom('killed', 'exit_code'), cause: text },
        outline: fc.tuple(
          fc.maxSafeInteger().map(Math.abs),
          fc.integer({ min: 1, max: 2 ** 32 - 1 }),
        ),
      },
      { requiredKeys: ['status', 'cmd'] },
    ) as fc.Arbitrary<JobSummary>;
    fc.assert(
      fc.property(fc.array(summary, { maxLength: 8 }), (summaries) => {
        const entries = summaries.map((one, i) => [newJobRoot(i), one] as const);
        new IndexFile(file, silentLogger()).rewrite(entries);
        expect([...readOf(file)]).toEqual(entries);
      }),
    );
  });

  it('reads a line that is longer than what is read at a time', () => {
    const long = { ...A, jid: 'x'.repeat(3_000_000) };
    written([a, long], [b, B]);
    expect([...readOf(file)]).toEqual([
      [a, long],
      [b, B],
    ]);
  });

  it('reads a file of many slices', () => {
    const entries = Array.from({ length: 30_000 }, (_, i) => [newJobRoot(i), A] as const);
    new IndexFile(file, silentLogger()).rewrite(entries);
    expect([...readOf(file)]).toEqual(entries);
  });
});
