import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

interface ShellAnswer {
  readonly status: number;
  readonly stdout: string;
}

/** Each file's text is the program of a shell. One process starts them all: one of jest's size takes long to start another. */
const EACH =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is a shell expansion
  'for f; do text=$(cat "$f"; printf x); sh "$FLAGS" -- "${text%x}" >"$f.out"; echo $? >"$f.status"; done';

/** What a shell says to each text. @param flags `-c`, or `-nc` to have it read only */
function shells(flags: string, texts: readonly string[]): readonly ShellAnswer[] {
  const at = mkdtempSync(join(folder, 'texts-'));
  const files = texts.map((text, i) => {
    const file = join(at, String(i));
    writeFileSync(file, text);
    return file;
  });
  const env = { ...process.env, FLAGS: flags };
  const { error } = spawnSync('/bin/sh', ['-c', EACH, 'sh', ...files], {
    cwd: folder,
    env,
    stdio: 'ignore',
  });
  if (error) throw error;
  return files.map((file) => ({
    status: Number(readFileSync(`${file}.status`, 'utf8')),
    stdout: readFileSync(`${file}.out`, 'utf8'),
  }));
}

/** Of texts, those that a shell takes for programs. */
function programsOf(texts: readonly string[]): ReadonlySet<string> {
  const answers = shells('-nc', texts);
  return new Set(texts.filter((_, i) => answers[i]?.status === 0));
}

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
  const lines = fc.sample(mutated, 700);
  let programs: ReadonlySet<string>;
  beforeAll(() => {
    programs = programsOf(lines);
  });

  it('makes parts that are programs out of a line that is one', () => {
    const cut = lines.filter((line) => programs.has(line)).map(splitIntoParts);
    const parts = cut.filter(({ length }) => length > 1).flat();
    const wellFormed = programsOf(parts);
    expect(parts.length).toBeGreaterThan(200);
    expect(parts.filter((part) => !wellFormed.has(part))).toEqual([]);
  });

  it('leaves the lines whole that the shell refuses, but for the few that the parser forgives', () => {
    const refused = lines.filter((line) => line.includes(';') && !programs.has(line));
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
    const whole = fc.sample(program, 350);
    const split = whole.map(splitIntoParts);
    const answers = [...shells('-c', split.flat())];
    const asSplit = split.map((parts, i) => {
      const ofParts = answers.splice(0, parts.length);
      const stdout = ofParts.map((answer) => answer.stdout).join('');
      return { line: whole[i], status: ofParts.at(-1)?.status, stdout };
    });
    const asWhole = shells('-c', whole).map((answer, i) => ({ line: whole[i], ...answer }));
    expect(asSplit).toEqual(asWhole);
    const cut = split.filter(({ length }) => length > 1).length;
    expect(cut).toBeGreaterThan(100);
  });
});
