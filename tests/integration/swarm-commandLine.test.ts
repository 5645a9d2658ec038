import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitIntoWords } from '../../lib/jobs/container/words.ts';

describe('splitIntoWords', () => {
  it('splits as sh does, for text without what only sh knows', () => {
    const safe = fc.constantFrom('a', 'B', '7', '-', '=', '/', '.', ',', 'é');
    const outside = fc.constantFrom(' ', '  ', '\t', '\\ ', '\\"', "\\'", '\\\\', '\\a', '\\$');
    const inSingle = fc.constantFrom('"', '\\', '$', ' ', ';', '*', '`', '\n');
    const inDouble = fc.constantFrom("'", ' ', ';', '*', '#', '\\"', '\\\\', '\\a', '\n');
    const quoted = (mark: string, of: fc.Arbitrary<string>) =>
      fc.string({ unit: fc.oneof(safe, of), maxLength: 6 }).map((text) => mark + text + mark);
    const piece = fc.oneof(safe, outside, quoted("'", inSingle), quoted('"', inDouble));
    const lines = fc.array(
      fc.array(piece, { maxLength: 10 }).map((parts) => parts.join('')),
      {
        minLength: 50,
        maxLength: 50,
      },
    );
    fc.assert(
      fc.property(lines, (texts) => {
        expect(texts.map(splitIntoWords)).toEqual(wordsOfShell(texts));
      }),
      { numRuns: 10 },
    );
  });
});

/** How sh splits each text: one process for all of them, NUL after each word, and one more after each text. */
function wordsOfShell(texts: readonly string[]): string[][] {
  const script = texts.map((text) => `show ${text}\n`).join('');
  const define = `show() { for word; do printf '%s\\0' "w$word"; done; printf 'e\\0'; }\n`;
  const output = execFileSync('sh', ['-c', define + script], { encoding: 'utf8' });
  const all: string[][] = [[]];
  for (const item of output.split('\0').slice(0, -1)) {
    if (item === 'e') all.push([]);
    else all.at(-1)?.push(item.slice(1));
  }
  return all.slice(0, -1);
}
