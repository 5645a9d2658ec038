import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitIntoWords } from '../../../../../lib/jobs/container/words.ts';

describe('splitIntoWords', () => {
  it.each<[string, string[]]>([
    ['echo test', ['echo', 'test']],
    ['  a \t b\nc\r\n', ['a', 'b', 'c']],
    ['', []],
    [' ', []],
    [`''`, ['']],
    [`a '' ""`, ['a', '', '']],
    [`sh -c 'echo "a  b" $HOME; ls'`, ['sh', '-c', 'echo "a  b" $HOME; ls']],
    [`a"b c"'d e'f`, ['ab cd ef']],
    [String.raw`a\ b \"c\' \\`, ['a b', `"c'`, '\\']],
    [String.raw`"a\"b\\c"`, ['a"b\\c']],
    [String.raw`'a\b'`, ['a\\b']],
    ['a;b|c>d # e', ['a;b|c>d', '#', 'e']],
    ['ä "ö ü" 日本', ['ä', 'ö ü', '日本']],
  ])('splits %j', (text, words) => {
    expect(splitIntoWords(text)).toEqual(words);
  });

  it.each<[string, string[]]>([
    [String.raw`"\$HOME"`, [String.raw`\$HOME`]],
    ['"\\`x\\`"', ['\\`x\\`']],
    ['a\\\nb', ['a\nb']],
    ['"a\\\nb"', ['a\\\nb']],
  ])('keeps the backslash of %j as the original does', (text, words) => {
    expect(splitIntoWords(text)).toEqual(words);
  });

  it.each([`a 'b`, 'a "b', String.raw`"a\"`, 'a \\'])('refuses %j and says why', (text) => {
    expect(() => splitIntoWords(text)).toThrow(/cannot split the command into words/);
  });

  it('refuses a word that no program can be given', () => {
    const most = 'é'.repeat(64 * 1024 - 1);
    expect(splitIntoWords(`echo ${most} '${most}'`)).toEqual(['echo', most, most]);
    expect(() => splitIntoWords(`echo '${most}é'`)).toThrow(/a word of more than 128 KiB: "éééé/);
  });

  it('gives back any words that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (words) => {
        const text = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
        expect(splitIntoWords(text)).toEqual(words);
      }),
    );
  });
});
