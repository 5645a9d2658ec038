import {
  accessSync,
  type BigIntStats,
  constants,
  lstatSync,
  readdirSync,
  renameSync,
  statSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PmanError } from '../errors.ts';
import { OpenFolder } from './openFolder.ts';
import { pathError } from './pathError.ts';

export interface InstallOptions {
  /** Whether what is already there may be reached through symbolic links. */
  readonly followLinks: boolean;
}

interface Step {
  readonly from: string;
  readonly to: string;
}

const TURN_EVERY = 200;

/**
 * Moves the content of a staging folder to where it belongs. What is new there is moved as a whole;
 * folders that exist are filled; files and links are replaced one by one, so that a reader sees the
 * old or the new one. Everything that stands in the way is found before the first move.
 * @throws PmanError `conflict` or `forbidden`, nothing moved then
 */
export async function install(
  staging: string,
  folder: string,
  options: InstallOptions,
): Promise<void> {
  const steps = await plan(staging, folder, options);
  const places = new Places(folder, options);
  try {
    for (const [i, { from, to }] of steps.entries()) {
      if (i % TURN_EVERY === TURN_EVERY - 1) await nextTurn();
      const place = places.of(to);
      try {
        renameSync(from, place);
      } catch (cause) {
        throw pathError(to, 'put in place', cause);
      }
    }
  } finally {
    places.close();
  }
}

/** Finds what lies below a folder; without links also when one takes the place of a folder there meanwhile. */
class Places {
  readonly #folder: string;
  readonly #top: OpenFolder | undefined;
  #last: OpenFolder | undefined;

  constructor(folder: string, { followLinks }: InstallOptions) {
    this.#folder = folder;
    this.#top = followLinks ? undefined : OpenFolder.at(folder, undefined);
  }

  /** @throws PmanError when there is a link on the way */
  of(path: string): string {
    if (this.#top === undefined) return path;
    const above = dirname(path);
    if (this.#last?.path !== above) {
      this.#last?.close();
      this.#last = undefined;
      this.#last = this.#top.below(relative(this.#folder, above).split('/').filter(Boolean));
    }
    return this.#last.way(path);
  }

  close(): void {
    this.#last?.close();
    this.#top?.close();
  }
}

async function plan(
  staging: string,
  folder: string,
  { followLinks }: InstallOptions,
): Promise<Step[]> {
  const steps: Step[] = [];
  const pending: Step[] = [{ from: staging, to: folder }];
  for (let i = 0; ; i += 1) {
    const next = pending.pop();
    if (next === undefined) return steps;
    if (i % TURN_EVERY === TURN_EVERY - 1) await nextTurn();
    try {
      accessSync(next.to, constants.W_OK);
    } catch (cause) {
      throw pathError(next.to, 'write to', cause);
    }
    for (const entry of readdirSync(next.from, { withFileTypes: true })) {
      const step = { from: join(next.from, entry.name), to: join(next.to, entry.name) };
      const there = existing(step.to);
      if (there === undefined) steps.push(step);
      else if (!entry.isDirectory()) {
        if (there.isDirectory()) throw inTheWay(step.to, 'a folder', 'a file');
        steps.push(step);
      } else if (there.isDirectory() || (followLinks && leadsToFolder(step.to))) pending.push(step);
      else if (there.isSymbolicLink()) {
        throw new PmanError('forbidden', `refused to go through the symbolic link ${step.to}`);
      } else throw inTheWay(step.to, 'a file', 'a folder');
    }
  }
}

function existing(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function leadsToFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function inTheWay(path: string, there: string, comes: string): PmanError {
  return new PmanError(
    'conflict',
    `${path} is ${there}, and ${comes} of that name comes in its place`,
  );
}
