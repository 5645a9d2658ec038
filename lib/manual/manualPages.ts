import type { Command } from 'commander';
import { FLAG_FORMS } from '../../crunner/cli/flags.ts';
import { help as swarmHelp } from '../../swarm/cli/flags.ts';
import { command as pfiohCommand } from '../config/pfioh.ts';
import { command as pmanCommand } from '../config/pman.ts';
import { command as pmanDoCommand } from '../config/pmanDo.ts';
import { filesCommand, command as purlCommand } from '../config/purl.ts';
import { VERBS, type VerbRow } from '../verbs/index.ts';
import { TOPICS } from '../verbs/topics.ts';
import type { Verb } from '../verbs/verb.ts';
import { overview } from '../verbs/verbHelp.ts';
import type { ManualOption, ManualPage } from './manualPage.ts';

/** The pages of all programs, made of the tables that they read their command lines by. */
export async function manualPages(): Promise<readonly ManualPage[]> {
  const verbs: ManualPage[] = [];
  for (const row of VERBS) {
    verbs.push(row.load === undefined ? servePage(row) : verbPage(row, await row.load()));
  }
  return [
    pmanPage(),
    ...verbs,
    programPage('pfioh', pfiohCommand(), ['purl']),
    programPage('purl', purlCommand('purl'), ['purl-push', 'purl-pull', 'pfioh', 'pman']),
    { ...programPage('purl', purlCommand('purl'), ['purl']), name: 'pfurl', program: 'pfurl' },
    programPage('purl push', filesCommand('push', 'purl'), ['purl-pull', 'pfioh']),
    programPage('purl pull', filesCommand('pull', 'purl'), ['purl-push', 'pfioh']),
    programPage('pman_do', pmanDoCommand(), ['pman-serve']),
    healthPage(),
    crunnerPage(),
    swarmPage(),
  ];
}

const EMPTY = { usage: [], description: [], examples: [], options: [], texts: [], seeAlso: [] };

function pmanPage(): ManualPage {
  return {
    ...EMPTY,
    ...{ name: 'pman', program: 'pman' },
    summary: 'runs commands for people and programs, and remembers every job',
    usage: ['VERB [flags] …', '[flags of the server]'],
    description: [
      'A first word is a verb: a client of a pman that serves. Flags alone, or nothing, start the server; see pman-serve(1).',
    ],
    texts: [
      ['VERBS', overview()],
      ...[...TOPICS].map(([topic, text]): [string, string] => [topic.toUpperCase(), text]),
    ],
    seeAlso: VERBS.map(({ name }) => `pman-${name}`),
  };
}

function verbPage({ name, help, aliases = [] }: VerbRow, verb: Verb): ManualPage {
  const also = aliases.length === 0 ? [] : [`Also: ${aliases.join(', ')}.`];
  return {
    ...EMPTY,
    ...{ name: `pman-${name}`, program: `pman ${name}`, summary: help },
    usage: verb.usage,
    description: [...also, ...(verb.notes ?? []).map((note) => note.replaceAll('\n', ' '))],
    examples: verb.examples,
    options: verb.flags.map(({ name: flag, short, value, help: what, isList, among }) => ({
      flags: `${short === undefined ? '' : `-${short}, `}--${flag}${value === undefined ? '' : ` ${value}`}`,
      help: [
        what,
        ...(among === undefined || what.includes(among[0] ?? '')
          ? []
          : [`one of ${among.join(', ')}`]),
        ...(isList === true ? ['may be given several times'] : []),
      ].join('; '),
    })),
    seeAlso: ['pman'],
  };
}

function servePage({ name, help }: VerbRow): ManualPage {
  const page = programPage('pman serve', pmanCommand(), ['pman', 'pman-doctor', 'pman-token']);
  return { ...page, name: `pman-${name}`, summary: help };
}

function programPage(program: string, command: Command, seeAlso: readonly string[]): ManualPage {
  const [what = '', ...more] = command.description().split('\n\n');
  const words = command.registeredArguments.map((one) => `<${one.name()}>`);
  return {
    ...EMPTY,
    ...{ name: program.replaceAll(' ', '-'), program },
    summary: what.replace(/\.$/, '').replace(/^./, (letter) => letter.toLowerCase()),
    usage: [['[options]', ...words].join(' ')],
    options: [...command.options.map(optionOf), { flags: '-h, --help', help: 'show the flags' }],
    examples: more
      .flatMap((text) => text.split('\n').slice(1))
      .map((line): [string, string] => [line.trim(), '']),
    seeAlso,
  };
}

function optionOf({ flags, description, defaultValue }: Command['options'][number]): ManualOption {
  const isTelling = ![undefined, '', false].includes(defaultValue) && !Array.isArray(defaultValue);
  return {
    flags,
    help: isTelling ? `${description} (default: ${String(defaultValue)})` : description,
  };
}

function healthPage(): ManualPage {
  return {
    ...EMPTY,
    ...{ name: 'pman_health', program: 'pman_health', summary: 'asks a pman how it is' },
    usage: ['[flags of the server]'],
    description: [
      'It asks the pman that was started with these flags and this environment, and ends with 0 when that is well. In a container, without flags, it takes those that the container was started with.',
    ],
    seeAlso: ['pman-serve', 'pman-doctor'],
  };
}

function crunnerPage(): ManualPage {
  return {
    ...EMPTY,
    ...{ name: 'crunner', program: 'crunner' },
    summary: 'runs a command line here or on another host, and tells what became of it',
    usage: ['[options] -c CMD', '[options] -- CMD'],
    options: Object.values(FLAG_FORMS).map(
      ({ names, help, ...form }: { names: readonly string[]; help: string; value?: string }) => ({
        flags: `${names.join(', ')}${form.value === undefined ? '' : ` ${form.value}`}`,
        help,
      }),
    ),
    seeAlso: ['pman'],
  };
}

function swarmPage(): ManualPage {
  return {
    ...EMPTY,
    ...{ name: 'swarm', program: 'swarm' },
    summary: 'runs a command as a service of a Docker swarm, looks at it, removes it',
    texts: [['OPTIONS', swarmHelp]],
    seeAlso: ['pman'],
  };
}
