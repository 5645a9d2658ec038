import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitIntoParts } from '../../crunner/command/split.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'crunner-split-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function sh(args: readonly string[]) {
  const { status, stdout } = spawnSync('/bin/sh', args, { cwd: folder, encoding: 'utf8' });
  return { status, stdout };
}

/** Whether the shell takes the text for a program. */
const isProgram = (text: string) => sh(['-n', '-c', '--', text]).status === 0;

const PROGRAMS = [
  'for i in a b; do echo $i; done; echo x',
  'case x in a) b;; (c|d) e; esac; f',
  'f() { a; b; }; f',
  'cat <<E; echo b\nhi;there\nE\necho c; d',
  'echo "a;b`c;d`$(e;f)"; g',
  '{ a; b; } >f; (c;d)&e;f',
  'if a; then b; elif c; then d; else e; fi; g',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are shell expansions
  'echo ${x:-a;b} "${y#";"}" $((1+(2))); z',
  'while a; do b; done | c; ! d # e; f\ng; h',
  'x=$(cat <<E\na;$(b;c)\nE\n); d',
];
const TOKENS = [
  ...[
    'a',
    'x=',
    ';',
    ';;',
    '; ',
    '\n',
    '&',
    '&&',
    '|',
    '(',
    ')',
    '{ ',
    '; }',
    '((',
    '))',
    '\\;',
    '\\\n',
  ],
  ...[
    "'",
    '"',
    '`',
    '$(',
    '$((',
    '$',
    '$[',
    "$'",
    '${x',
    '}',
    '#',
    ' #',
    '<<E',
    '\nE\n',
    '>f',
    '<',
    '&>',
  ],
  ...[
    'if ',
    '; then ',
    '; fi',
    'for i in ',
    '; do ',
    '; done',
    'case a in ',
    'b) ',
    ';; esac',
    '! ',
  ],
  ...['f()', '[[ ', ' ]]', 'time ', 'function g ', '@(', '<<<', '-', 'é'],
];

/** A program with a few pieces put in, taken out or repeated. */
const mutated = fc
  .tuple(
    fc.constantFrom(...PROGRAMS),
    fc.array(
      fc.tuple(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(6),
        fc.constantFrom('', ...TOKENS),
      ),
      {
        maxLength: 4,
      },
    ),
  )
  .map(([program, edits]) =>
    edits.reduce((text, [where, gone, token]) => {
      const at = Math.floor(where * text.length);
      return text.slice(0, at) + token + text.slice(at + (token === '' ? gone : 0));
    }, program),
  );

describe('splitIntoParts against the shell', () => {
  it('makes parts that are programs out of a line that is one', () => {
    fc.assert(
      fc.property(mutated, (line) => {
        const parts = splitIntoParts(line);
        if (parts.length === 1 || !isProgram(line)) return;
        expect(parts.filter((part) => !isProgram(part))).toEqual([]);
      }),
      { numRuns: 700 },
    );
  });

  it('leaves the lines whole that the shell refuses, but for the few that the parser forgives', () => {
    const refused = fc
      .sample(mutated, 700)
      .filter((line) => line.includes(';') && !isProgram(line));
    const cut = refused.filter((line) => splitIntoParts(line).length > 1);
    expect(refused.length).toBeGreaterThan(100);
    expect(cut.length).toBeLessThan(refused.length / 20);
  });

  it('gives the same output split as whole, where parts share no state', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', ';', ' ', '$', "'", '"', '\\', '#', '(', '`', '\n'),
    });
    const quoted = text.map((value) => `'${value.replaceAll("'", "'\\''")}'`);
    const echo = quoted.map((word) => `printf '%s|' ${word}`);
    const { program } = fc.letrec<{ program: string; command: string; list: string }>((tie) => ({
      command: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        echo,
        tie('list').map((list) => `{ ${list}; }`),
        tie('list').map((list) => `(${list})`),
        tie('list').map((list) => `if true; then ${list}; fi`),
        tie('list').map((list) => `for i in 1 2; do ${list}; done`),
        tie('list').map((list) => `case x in x) ${list};; esac`),
        tie('list').map((list) => `f() { ${list}; }\nf`),
        tie('list').map((list) => `echo "$( ${list})"`),
        tie('list').map((list) => `cat <<E | tr a b\nx;$( ${list})\nE\ntrue`),
        fc.tuple(tie('command'), tie('command')).map(([a, b]) => `{ ${a}\n} && { ${b}\n}`),
        fc.tuple(tie('command'), text).map(([a, b]) => `${a} # ${b.replaceAll('\n', '')}\ntrue`),
      ),
      list: fc.array(tie('command'), { minLength: 1, maxLength: 3 }).map((all) => all.join('; ')),
      program: fc.array(tie('command'), { minLength: 1, maxLength: 4 }).map((all) => all.join(';')),
    }));
    let cut = 0;
    fc.assert(
      fc.property(program, (line) => {
        const parts = splitIntoParts(line);
        if (parts.length > 1) cut += 1;
        const split = parts.map((part) => sh(['-c', '--', part]));
        expect({
          status: split.at(-1)?.status,
          stdout: split.map((s) => s.stdout).join(''),
        }).toEqual(sh(['-c', '--', line]));
      }),
      { numRuns: 350 },
    );
    expect(cut).toBeGreaterThan(100);
  });
});
