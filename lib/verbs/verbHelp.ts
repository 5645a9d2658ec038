import { padEnd } from '../terminal/cutText.ts';
import type { Flag } from './flagWords.ts';
import { VERBS, type VerbRow } from './index.ts';
import type { Verb } from './verb.ts';

const GROUPS = ['Run', 'Look', 'Act', 'Files', 'Server'] as const;

/** What `pman --help` prints: 24 lines at most. */
export function overview(): string {
  const rows = GROUPS.flatMap((group) =>
    VERBS.filter((row) => row.group === group).map(
      ({ name, help }, i) => `${padEnd(i === 0 ? group : '', 8)}${padEnd(name, 12)}${help}`,
    ),
  );
  return [
    "pman run -f 'make check'    runs it, shows its output, ends with its exit code",
    'pman logs -f                follows the newest job; Ctrl-C leaves it running',
    '',
    ...rows,
    '',
    'pman VERB --help tells more; pman help exit-codes, json, selectors, server',
    'pman serve --help lists the flags of the server; pman --version',
    '',
  ].join('\n');
}

/** What `pman VERB --help` prints. */
export function verbHelp({ name, help, aliases = [] }: VerbRow, verb: Verb): string {
  const widest = Math.max(...verb.examples.map(([line]) => line.length));
  return [
    ...verb.examples.map(([line, what]) => `${line.padEnd(widest)}   ${what}`),
    '',
    `${name}: ${help}`,
    ...verb.usage.map((line) => `usage: pman ${name} ${line}`),
    ...(aliases.length === 0 ? [] : [`also: ${aliases.join(', ')}`]),
    ...(verb.flags.length === 0 ? [] : ['', ...flagLines(verb.flags)]),
    ...(verb.notes ?? []).flatMap((note) => ['', note]),
    '',
  ].join('\n');
}

function flagLines(flags: readonly Flag[]): readonly string[] {
  const shown = flags.map((flag) => ({ left: flagText(flag), help: flag.help }));
  const widest = Math.max(...shown.map(({ left }) => left.length));
  return shown.map(({ left, help }) => `${left.padEnd(widest)}  ${help}`);
}

function flagText({ name, short, value }: Flag): string {
  const letter = short === undefined ? '    ' : `-${short}, `;
  return `  ${letter}--${name}${value === undefined ? '' : ` ${value}`}`;
}
