import type { Command, Option } from 'commander';
import { command as pmanCommand } from '../config/pman.ts';
import type { Flag } from './flagWords.ts';
import { TOKEN_COMMANDS } from './tokenVerb.ts';

/** The flags of the server, for completion. This file is loaded when they are asked for: commander takes long to load. */
export function serverFlags(): readonly Flag[] {
  return flagsOf(pmanCommand());
}

/** The flags of `pman token WHAT`. */
export function tokenFlags(what: string): readonly Flag[] {
  const command = TOKEN_COMMANDS.get(what);
  return command === undefined ? [] : flagsOf(command());
}

function flagsOf({ options }: Command): readonly Flag[] {
  return options.filter(({ hidden }) => !hidden).map(flagOf);
}

function flagOf({ long, short, flags, description, argChoices }: Option): Flag {
  const value = /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1];
  return {
    name: (long ?? '').replace(/^--/, ''),
    ...(short === undefined ? {} : { short: short.slice(1) }),
    ...(value === undefined ? {} : { value: value.toUpperCase() }),
    ...(argChoices === undefined ? {} : { among: argChoices }),
    help: description,
  };
}
