import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitIntoParts } from '../../../../crunner/command/split.ts';

describe('splitIntoParts', () => {
  it.each<readonly [line: string, parts: readonly string[]]>([
    ['echo a', ['echo a']],
    ['', ['']],
    ['echo a; echo b', ['echo a', ' echo b']],
    ['true;', ['true', '']],
    ['true ; ', ['true ', ' ']],
    ['a;b;c', ['a', 'b', 'c']],
    ['a && b || c; d', ['a && b || c', ' d']],
    ['a | b; ! c; d', ['a | b', ' ! c', ' d']],
    ['a & b; c', ['a & b', ' c']],
    ['a\nb; c\nd', ['a\nb', ' c\nd']],
    ['a;\nb', ['a', '\nb']],
    ['a; # one; two', ['a', ' # one; two']],
    ['a # x;y\nb; c', ['a # x;y\nb', ' c']],
    ['echo a#b; c', ['echo a#b', ' c']],
  ])('cuts %j at the top level into %j', (line, parts) => {
    expect(splitIntoParts(line)).toEqual(parts);
  });

  it.each([
    "echo 'a;b'",
    'echo "a;b"',
    'echo "a\\";b"',
    'echo a\\;b',
    'echo $(a; b)',
    'echo "$(a; echo ";")"',
    'echo `a; b`',
    'echo "`echo \\"a;b\\"`"',
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are shell expansions
    'echo ${x:-a;b}',
    'echo "${x#";"}"',
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are shell expansions
    'for i in 1 2; do echo $i; done',
    'while a; do b; done',
    'until a; do b; done >f',
    'if a; then b; elif c; then d; else e; fi',
    'case x in a) b;; (c|d) e; esac',
    'f() { a; b; }',
    '{ a; b; }',
    '(a; b)',
    '(a; b) | c && d',
    'a # b; c',
    'cat <<E\na;b\nE\n',
    'cat <<-"E"\n\ta;b\n\tE\n',
    'x=$(cat <<E\na;b\nE\n)',
  ])('keeps %j in one part, and cuts after it', (line) => {
    expect(splitIntoParts(line)).toEqual([line]);
    if (!line.includes('#') && !line.endsWith('\n')) {
      expect(splitIntoParts(`${line}; z`)).toEqual([line, ' z']);
    }
  });

  it('does not part a here-document from its body', () => {
    expect(splitIntoParts('cat <<E; b; c\nx;y\nE\nd; e')).toEqual([
      'cat <<E; b; c\nx;y\nE\nd',
      ' e',
    ]);
    expect(splitIntoParts('a; cat <<E <<F; b\n1;\nE\n2;\nF\nc;d')).toEqual([
      'a',
      ' cat <<E <<F; b\n1;\nE\n2;\nF\nc',
      'd',
    ]);
  });

  it.each([
    'echo "x; y',
    "echo 'x; y",
    'echo $(a; b',
    'a;;b',
    ';a',
    'a; ;b',
    'a &; b',
    'if a; b; fi; c',
    'if a; ; then b; fi; c',
    '(a; b',
    'a; b)',
    'a; { b',
    'echo (a; b',
    'echo `a"`; c',
    'cat <<E\n$(b\nE\nc; d',
    'for i in 1; done; b',
  ])('leaves %j whole, as no shell accepts it', (line) => {
    expect(splitIntoParts(line)).toEqual([line]);
  });

  it.each([
    'for ((i=0; i<3; i++)); do a; done; b',
    'select x in a; do b; done; c',
    'function f { a; }; b',
    'a=(1 2); b',
    'a <(b); c',
    'a <<<b; c',
    'a |& b; c',
    '((a<<1)); b',
    "echo $'a\\'; echo \\'; b",
    'a $\\\n(b; c); d',
    'a\0; b',
    'cat <<E; b',
  ])('leaves %j whole, as /bin/sh reads it otherwise than bash', (line) => {
    expect(splitIntoParts(line)).toEqual([line]);
  });

  it('gives the line back when its parts are joined, whatever the line', () => {
    const token = fc.constantFrom(
      ...[
        'a',
        ';',
        '; ',
        ' ',
        '\n',
        '&',
        '|',
        '(',
        ')',
        '{ ',
        ' }',
        "'",
        '"',
        '`',
        '$(',
        '$((',
        '))',
      ],
      ...[
        '#',
        '\\',
        ';;',
        'if ',
        'then ',
        'fi',
        'case x in ',
        'esac',
        '<<E',
        '\nE\n',
        '>',
        'é',
        '😀',
      ],
    );
    const line = fc.array(fc.oneof(token, fc.string()), { maxLength: 30 }).map((t) => t.join(''));
    fc.assert(
      fc.property(line, (text) => {
        expect(splitIntoParts(text).join(';')).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('splits a line of 10,000 parts and more than 128 KiB', () => {
    const parts = Array.from({ length: 10_000 }, (_, i) => `echo "part; ${i}"`);
    expect(splitIntoParts(parts.join(';'))).toEqual(parts);
  });

  it.each([
    ['subshells', '(', ')'],
    ['substitutions', '$(', ')'],
    ['quoted substitutions', '"$(', ')"'],
    ['conditions', 'if a; then ', '; fi'],
    ['arithmetic', '$((', '))'],
  ])('leaves a line whole that is nested too deep: %s', (_name, open, close) => {
    const line = `${open.repeat(50_000)}a${close.repeat(50_000)}; b`;
    expect(splitIntoParts(line)).toEqual([line]);
  });
});
