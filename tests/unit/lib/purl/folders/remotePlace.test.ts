import { describe, expect, it } from '@jest/globals';
import { isPlace, parsePlace } from '../../../../../lib/purl/folders/remotePlace.ts';

const read = (text: string) => {
  const { url, path } = parsePlace(text);
  return [url.href, path];
};

describe('a place on another machine', () => {
  it.each([
    ['node7:jobs/42', 'http://node7:5055/', 'jobs/42'],
    ['node7:/data', 'http://node7:5055/', '/data'],
    ['node7:5056:jobs', 'http://node7:5056/', 'jobs'],
    ['https://node7:443:a:b', 'https://node7/', 'a:b'],
    ['https://node7:jobs', 'https://node7:5055/', 'jobs'],
    ['[::1]:5056:/x', 'http://[::1]:5056/', '/x'],
    ['node7:', 'http://node7:5055/', '.'],
    ['node7:./5055/x', 'http://node7:5055/', './5055/x'],
    ['node7:2026-scans', 'http://node7:5055/', '2026-scans'],
  ])('%s', (text, href, path) => {
    expect(read(text)).toEqual([href, path]);
  });

  it('is not guessed where a number may be a port or a folder', () => {
    expect(() => parsePlace('node7:5055/x')).toThrow(
      'node7:5055/x may mean two places: a port is node7:5055:x, a folder node7:./5055/x',
    );
    expect(() => parsePlace('node7:42')).toThrow('may mean two places');
  });

  it('has a colon before any slash', () => {
    expect(['a:b', 'https://a:b', './a:b', 'a', '/x:y'].map(isPlace)).toEqual([
      ...[true, true, false, false, false],
    ]);
    expect(() => parsePlace('a/b')).toThrow('a/b is no place: want HOST:PATH or HOST:PORT:PATH');
  });
});
