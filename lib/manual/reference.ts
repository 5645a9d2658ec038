import type { ManualPage } from './manualPage.ts';

/** docs/cli-reference.md: all pages on one. */
export function reference(pages: readonly ManualPage[]): string {
  return [
    '# Command line reference',
    '',
    'Made of the tables that the programs read their command lines by (`npm run cli-reference`). `man pman-run` and the',
    'like show the same.',
    '',
    ...pages.map(({ program }) => `- [${program}](#${anchor(program)})`),
    ...pages.flatMap(section),
    '',
  ].join('\n');
}

const anchor = (program: string) => program.replaceAll(' ', '-');

function section({ program, summary, usage, description, examples, options, texts }: ManualPage) {
  return [
    '',
    `## ${program}`,
    '',
    `${capital(cell(summary))}.`.replace(/\.\.$/, '.'),
    ...fenced(usage.map((words) => `${program} ${words}`)),
    ...description.flatMap((text) => ['', ...wrapped(text)]),
    ...fenced(examples.map(([line, what]) => (what === '' ? line : `${line}    # ${what}`))),
    ...(options.length === 0 ? [] : ['', '| flag | |', '| --- | --- |']),
    ...options.map(({ flags, help }) => `| \`${flags.replaceAll('|', '\\|')}\` | ${cell(help)} |`),
    ...texts.flatMap(([heading, text]) => [
      '',
      `### ${capital(heading.toLowerCase())}`,
      ...fenced([text.trimEnd()]),
    ]),
  ];
}

function fenced(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', '```', ...lines, '```'];
}

const cell = (text: string) =>
  text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*').replaceAll('_', '\\_');

const capital = (text: string) => text.replace(/^./, (letter) => letter.toUpperCase());

const WIDTH = 118;

function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of cell(text).split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
