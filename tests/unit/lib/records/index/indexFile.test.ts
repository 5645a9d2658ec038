import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../../../lib/log.ts';
import { IndexFile } from '../../../../../lib/records/index/indexFile.ts';
import type { JobSummary } from '../../../../../lib/records/index/jobIndex.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

let file = '';
beforeEach(() => {
  file = join(tempDir(), 'index.jsonl');
});

const A: JobSummary = { jid: 'a}\n{', auid: 'ü', status: 'finishedSuccessfully', cmd: 'true' };
const B: JobSummary = { status: 'lost', key: 'k', digest: 'd', cmd: '' };

function written(...entries: readonly (readonly [string, JobSummary])[]): IndexFile {
  const index = new IndexFile(file, silentLogger());
  for (const [root, summary] of entries) index.append(root, summary);
  index.close();
  return index;
}

describe('IndexFile', () => {
  it('knows nothing before anything was written, and makes no file', () => {
    expect(new IndexFile(file, silentLogger()).read().size).toBe(0);
    expect(existsSync(file)).toBe(false);
  });

  it('gives back what was added, also by several servers in turn', () => {
    written(['a', A]);
    written(['b', B], ['a', { ...A, status: 'finishedWithError' }]);
    expect([...new IndexFile(file, silentLogger()).read()]).toEqual([
      ['a', { ...A, status: 'finishedWithError' }],
      ['b', B],
    ]);
  });

  it('is for nobody else to read', () => {
    written(['a', A]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    new IndexFile(file, silentLogger()).rewrite([['a', A]]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('passes over a line that a crash has cut, wherever, and goes on behind it', () => {
    written(['a', B], ['b', A]);
    const whole = readFileSync(file);
    for (let length = whole.lastIndexOf('\n') + 1; length < whole.length; length += 1) {
      writeFileSync(file, whole.subarray(0, length));
      written(['c', B]);
      expect([...new IndexFile(file, silentLogger()).read().keys()]).toEqual(['a', 'c']);
    }
  });

  it.each(['\0\0\0', 'garbage}', '{"root": 7}', '[]}', '{}'])('passes over the line %j', (line) => {
    writeFileSync(file, `${line}\n${JSON.stringify({ root: 'a', ...A })}`);
    expect([...new IndexFile(file, silentLogger()).read()]).toEqual([['a', A]]);
  });

  it('can be written anew, and added to after that', () => {
    const index = written(['a', A], ['b', B]);
    index.rewrite([['b', B]]);
    index.append('c', A);
    index.close();
    expect([...new IndexFile(file, silentLogger()).read()]).toEqual([
      ['b', B],
      ['c', A],
    ]);
    new IndexFile(file, silentLogger()).rewrite([]);
    expect(new IndexFile(file, silentLogger()).read().size).toBe(0);
  });
});
