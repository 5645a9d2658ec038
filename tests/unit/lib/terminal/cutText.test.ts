import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cutEnd, cutMiddle, padEnd, padStart } from '../../../../lib/terminal/cutText.ts';
import { oneLine } from '../../../../lib/terminal/oneLine.ts';
import { charactersOf, widthOf } from '../../../../lib/terminal/width.ts';

const anyText = () => fc.string({ unit: 'binary', maxLength: 40 }).map(oneLine);

describe('the width of a text', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['日本語', 6],
    ['e\u0301', 1],
    ['👩‍👩‍👧', 2],
    ['❤️', 2],
    ['🇩🇪', 2],
    ['1️⃣', 2],
    ['ｶﾞ', 2],
    ['a\u200bb', 2],
  ])('%j takes %d columns', (text, columns) => {
    expect(widthOf(text)).toBe(columns);
  });
});

describe('cutting', () => {
  it('marks what is left out, at the end or in the middle', () => {
    expect(cutEnd('python3 train.py', 10)).toBe('python3 t…');
    expect(cutMiddle('train-with-warmup-lr0.1', 16)).toBe('train-wi…p-lr0.1');
    expect(cutMiddle('夜間のバッチ処理です', 16)).toBe('夜間のバ…理です');
    expect(cutEnd('日本語', 4)).toBe('日…');
    expect(cutEnd('abc', 3)).toBe('abc');
    expect(cutEnd('abc', 0)).toBe('');
  });

  it('is never wider than it may be, and cuts no character', () => {
    fc.assert(
      fc.property(anyText(), fc.nat(30), (text, columns) => {
        for (const cut of [cutEnd, cutMiddle]) {
          const shown = cut(text, columns);
          expect(widthOf(shown)).toBeLessThanOrEqual(columns);
          if (widthOf(text) <= columns) expect(shown).toBe(text);
          else if (columns > 0) {
            expect(shown).toContain('…');
            const [head = '', tail = ''] = shown.split('…');
            if (!text.includes('…')) {
              const characters = charactersOf(text);
              const begins = characters.slice(0, charactersOf(head).length).join('');
              expect(begins).toBe(head);
              expect(text.endsWith(tail)).toBe(true);
            }
          }
        }
      }),
    );
  });

  it('fills up to the width', () => {
    fc.assert(
      fc.property(anyText(), fc.nat(60), (text, columns) => {
        const width = Math.max(columns, widthOf(text));
        expect(padEnd(text, columns).length - text.length).toBe(width - widthOf(text));
        expect(padStart(text, columns).endsWith(text)).toBe(true);
      }),
    );
  });
});

describe('a text of somebody else', () => {
  it('is one line without anything that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
        expect(oneLine(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/);
      }),
    );
    expect(oneLine('a\tb\n\u001b[31mred')).toBe('a\\tb\\n\\u001b[31mred');
  });
});
