import { VERSION } from '../version.ts';
import type { ManualPage } from './manualPage.ts';

/** The day on which the pages were read last as a whole: a page without one is not a whole page to mandoc. */
const DATE = '2026-11-29';

/** A page as man(7) reads it; everything that is not ASCII is written as an escape, so that no locale matters. */
export function roff(page: ManualPage): string {
  const { name, program, summary, usage, description, examples, options, texts, seeAlso } = page;
  const section = (heading: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`.SH ${quoted(heading)}`, ...lines];
  return [
    `.TH ${quoted(name.toUpperCase())} 1 ${DATE} ${quoted(`pman ${VERSION}`)}`,
    ...section('NAME', [`${plain(name)} \\- ${plain(summary)}`]),
    ...section('SYNOPSIS', synopsis(program, usage)),
    ...section('DESCRIPTION', paragraphs(description)),
    ...section(
      'OPTIONS',
      options.flatMap(({ flags, help }) => ['.TP', `.B ${line(flags)}`, line(help)]),
    ),
    ...section(
      'EXAMPLES',
      examples.flatMap(([command, what]) => ['.TP', `.B ${line(command)}`, line(what) || '\\&']),
    ),
    ...texts.flatMap(([heading, text]) => section(heading, asTyped(text))),
    ...section('SEE ALSO', seeAlso.length === 0 ? [] : [references(seeAlso)]),
    '',
  ].join('\n');
}

function synopsis(program: string, usage: readonly string[]): readonly string[] {
  const all = usage.length === 0 ? [''] : usage;
  return all.flatMap((words, i) => [
    ...(i === 0 ? [] : ['.br']),
    `.B ${line(program)}`,
    ...(words === '' ? [] : [line(words)]),
  ]);
}

function paragraphs(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text, i) => [...(i === 0 ? [] : ['.PP']), line(text)]);
}

function asTyped(text: string): readonly string[] {
  return ['.nf', ...text.replace(/\n+$/, '').split('\n').map(line), '.fi'];
}

function references(names: readonly string[]): string {
  return names.map((name) => `${plain(name)}(1)`).join(',\n');
}

/** A text in quotes, as the words of a macro are given. */
const quoted = (text: string) => `"${plain(text).replaceAll('"', '\\(dq')}"`;

/** A line of text: one that begins as a macro does is none. */
function line(text: string): string {
  const written = plain(text);
  return /^[.']/.test(written) ? `\\&${written}` : written;
}

/** Characters that roff reads as something else, and what is not ASCII. */
function plain(text: string): string {
  let written = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (character === '\\') written += '\\e';
    else if (character === '-') written += '\\-';
    else if (character === "'") written += '\\(aq';
    else if (character === '`') written += '\\(ga';
    else if (character === '^') written += '\\(ha';
    else if (character === '~') written += '\\(ti';
    else if (code > 126) written += `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
    else written += character;
  }
  return written;
}
