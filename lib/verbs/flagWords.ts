import { UsageError } from '../errors.ts';
import { nearName } from '../wire/nearName.ts';

/** A flag of a verb: help, manual and completions are made of the same rows as its reading. */
export interface Flag {
  /** Without the two dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What its value is called in the help; a flag without one is a switch. */
  readonly value?: string;
  readonly help: string;
  /** It may be given several times. */
  readonly isList?: boolean;
  /** The only values. */
  readonly among?: readonly string[];
  /** Values that are offered where people type; there are others. */
  readonly usual?: readonly string[];
}

/** What stands on a command line behind the verb. */
export interface Words {
  readonly switches: ReadonlySet<string>;
  /** The values of each flag that was given, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly string[];
  /** Whether the rest stands behind `--`. */
  readonly isBehindDashes: boolean;
}

export interface Reading {
  /** The first word that is no flag ends the flags: what follows is a command with flags of its own. */
  readonly endsAtWord?: boolean;
}

/**
 * Takes a command line apart as POSIX and GNU have it: `-fn 5`, `-n5`, `--name=x`, `--name x`, `--`. There are no
 * abbreviations: what is written into scripts must not depend on flags that come later.
 * @throws UsageError for a flag that is not there, a value that is missing or empty, or one that is none of those it may be
 */
export function readWords(
  argv: readonly string[],
  flags: readonly Flag[],
  { endsAtWord = false }: Reading = {},
): Words {
  const switches = new Set<string>();
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  const left = [...argv];
  const take = (flag: Flag, shown: string, given: string | undefined) => {
    if (flag.value === undefined) {
      if (given !== undefined) throw new UsageError(`${shown} takes no value`);
      switches.add(flag.name);
      return;
    }
    const value = given ?? left.shift();
    if (value === undefined) throw new UsageError(`${shown} needs a value: ${flag.value}`);
    // What "$UNSET" becomes: taken as a folder it would be this one, as a server the usual one, as a text any text.
    if (value === '') throw new UsageError(`${shown} is empty: it needs ${flag.value}`);
    if (flag.among?.includes(value) === false) {
      throw new UsageError(`${shown} ${JSON.stringify(value)} is none of ${flag.among.join(', ')}`);
    }
    const known = values.get(flag.name);
    if (known !== undefined && flag.isList !== true) {
      throw new UsageError(`${shown} is there twice`);
    }
    values.set(flag.name, [...(known ?? []), value]);
  };
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === '--') return { switches, values, rest: [...rest, ...left], isBehindDashes: true };
    if (word.startsWith('--')) {
      const at = word.indexOf('=');
      const shown = at < 0 ? word : word.slice(0, at);
      take(byName(flags, shown), shown, at < 0 ? undefined : word.slice(at + 1));
    } else if (word.startsWith('-') && word !== '-') {
      for (let letters = word.slice(1); letters !== ''; ) {
        const shown = `-${letters.slice(0, 1)}`;
        letters = letters.slice(1);
        const flag = byLetter(flags, shown);
        const given = flag.value === undefined || letters === '' ? undefined : letters;
        if (given !== undefined) letters = '';
        take(flag, shown, given?.replace(/^=/, ''));
      }
    } else {
      rest.push(word);
      if (endsAtWord) {
        return { switches, values, rest: [...rest, ...left], isBehindDashes: false };
      }
    }
  }
  return { switches, values, rest, isBehindDashes: false };
}

function byName(flags: readonly Flag[], shown: string): Flag {
  const flag = flags.find(({ name }) => `--${name}` === shown);
  if (flag !== undefined) return flag;
  const near = nearName(
    shown,
    flags.map(({ name }) => `--${name}`),
  );
  throw new UsageError(`there is no ${shown}${near === undefined ? '' : `; is it ${near}?`}`);
}

function byLetter(flags: readonly Flag[], shown: string): Flag {
  const flag = flags.find(({ short }) => `-${short}` === shown);
  if (flag === undefined) throw new UsageError(`there is no ${shown}`);
  return flag;
}

/** The value of a flag; of several the last. */
export function flagValue({ values }: Words, name: string): string | undefined {
  return values.get(name)?.at(-1);
}
