import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BadRequestError, messageOf, PmanError, systemErrorCode } from '../errors.ts';
import type { Logger } from '../log.ts';
import { isJsonObject, parseJson } from '../wire/json.ts';
import { type Command, parseCommand } from '../wire/request.ts';
import { FileArrivals } from './fileArrivals.ts';

export interface DirectiveFileOptions {
  readonly file: string;
  /** What no other server has that may look at the same file: the folder of its database. */
  readonly owner: string;
  /** Does what the directive asks for. What it throws is reported, and the file kept aside. */
  readonly obey: (command: Command) => Promise<unknown>;
  /** Nothing is obeyed before this resolves. */
  readonly after?: Promise<void> | undefined;
  readonly log: Logger;
}

/** How often a file that is there is looked at, in milliseconds: it may be half written. */
const POLL_MS = 250;
/** A file that is no JSON is being written, until it has not changed for so long (milliseconds). */
const SETTLED_MS = 5000;

/**
 * How long after a command that could not be taken just now (no room on the disk) it is tried again, in milliseconds.
 */
const RETRY_MS = 1000;

/** How long the end of the server waits for a directive that is being obeyed, in milliseconds. */
const GRACE_MS = 300;

/**
 * Watches for the directive file (protocol d): a bare command, `{"action": …, "meta": {…}}`, without the envelope. It
 * is executed once and then removed, a `run` also when the server is killed meanwhile and started again. One that is
 * being written is waited for; one that stays unreadable, or whose command fails, is moved aside, as
 * `<file>.rejected-<time>`.
 *
 * Whoever may write the file commands this server. The default place is a folder for everybody, so that a file of
 * another user is left alone, unless root wrote it, and so is a symbolic link.
 * @returns what ends the watch; a directive that is being obeyed gets a moment to finish (a run may take days)
 */
export function watchDirectiveFile(options: DirectiveFileOptions): { close(): Promise<void> } {
  const ending = new AbortController();
  const folder = dirname(options.file);
  if (!existsSync(folder)) {
    options.log.warn('the folder of the directive file is not there; it is looked for again', {
      folder,
    });
  }
  const watch = async () => {
    let complained = '';
    const complain = (error: unknown) => {
      const message = messageOf(error);
      if (message !== complained) options.log.warn('the directive file', { error: message });
      complained = message;
    };
    if (options.after) await Promise.race([options.after, once(ending.signal, 'abort')]);
    if (ending.signal.aborted) return;
    const leftOver = obeyLeftOver(options, ending.signal).catch(complain);
    const arrivals = new FileArrivals(options.file);
    while (!ending.signal.aborted) {
      let isThere = true;
      try {
        arrivals.watch();
        isThere = await lookOnce(options, ending.signal);
        complained = '';
      } catch (error) {
        complain(error);
      }
      await arrivals.next(ending.signal, isThere ? POLL_MS : undefined);
    }
    arrivals.close();
    await leftOver;
  };
  const watching = watch();
  return {
    close: async () => {
      ending.abort();
      await watching;
    },
  };
}

/** Obeys the file if there is one; says whether one is there still. */
async function lookOnce(options: DirectiveFileOptions, ending: AbortSignal): Promise<boolean> {
  const { file, log } = options;
  const found = readOwn(file);
  if (found === undefined) return false;
  try {
    commandIn(found.text);
  } catch (error) {
    if (Date.now() - found.mtimeMs > SETTLED_MS) reject(file, file, error, log);
    return true;
  }
  const taken = `${takenPrefix(options)}${randomUUID()}`;
  renameSync(file, taken);
  await obeyTaken(options, taken, ending);
  return true; // the next one may have come meanwhile
}

/**
 * The names of files that were taken and not yet obeyed: of this server's, not of another one's that looks here too.
 */
function takenPrefix({ file, owner }: DirectiveFileOptions): string {
  return `${file}.taken-${createHash('sha256').update(owner).digest('hex').slice(0, 8)}-`;
}

async function obeyTaken(
  { file, obey, log }: DirectiveFileOptions,
  taken: string,
  ending: AbortSignal,
): Promise<void> {
  try {
    const found = readOwn(taken);
    if (found === undefined) return;
    const command = withKey(commandIn(found.text), taken);
    if (!(await obeyInTime(() => obey(command), ending, log))) return; // the next server finds it
    rmSync(taken);
    log.info('the directive file was obeyed', { action: command.action });
  } catch (error) {
    reject(file, taken, error, log);
  }
}

/** Does what a command says, again and again while there is no room for it. False: the server ends before there is. */
async function obeyInTime(
  work: () => Promise<unknown>,
  ending: AbortSignal,
  log: Logger,
): Promise<boolean> {
  for (let hasComplained = false; ; hasComplained = true) {
    try {
      await orGrace(work(), ending);
      return true;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (!hasComplained) log.warn('the directive file waits', { reason: messageOf(error) });
    }
    await sleep(RETRY_MS, undefined, { signal: ending }).catch(() => undefined);
    if (ending.aborted) return false;
  }
}

/** Whoever left the file is not there to try again. */
function isPassing(error: unknown): boolean {
  return error instanceof PmanError && error.code === 'storage';
}

async function orGrace(work: Promise<unknown>, ending: AbortSignal): Promise<void> {
  const done = new AbortController();
  try {
    await Promise.race([work, graceAfter(ending, done.signal)]);
  } finally {
    done.abort();
  }
}

/**
 * A run gets an idempotency key from the name under which its file was taken, so that obeying it again is no second
 * run.
 */
function withKey(command: Command, taken: string): Command {
  if (command.action !== 'run' || command.rawMeta.key !== undefined) return command;
  const key = `directive-${taken.slice(taken.lastIndexOf('.taken-') + '.taken-'.length)}`;
  return { ...command, rawMeta: { ...command.rawMeta, key } };
}

/**
 * Files that an earlier server had taken when it was killed. A run is obeyed (again): if it had been accepted already,
 * its key finds that job. Whether another command was obeyed cannot be known: it is not obeyed twice.
 */
async function obeyLeftOver(options: DirectiveFileOptions, ending: AbortSignal): Promise<void> {
  const { file, log } = options;
  const prefix = takenPrefix(options);
  const folder = dirname(file);
  if (!existsSync(folder)) return;
  const left = readdirSync(folder).map((name) => join(folder, name));
  const runs: Promise<void>[] = [];
  for (const taken of left.filter((path) => path.startsWith(prefix))) {
    const found = readOwn(taken);
    if (found === undefined) continue;
    if (isRun(found.text)) runs.push(obeyTaken(options, taken, ending));
    else reject(file, taken, 'the server was killed while it obeyed it', log);
  }
  await Promise.all(runs);
}

function isRun(text: string): boolean {
  try {
    return commandIn(text).action === 'run';
  } catch (error) {
    if (error instanceof PmanError) return false;
    throw error;
  }
}

/**
 * The file's text, or undefined when there is none. What is asked who owns it and what is read is one open file: a
 * link that is changed in between would have another user obeyed.
 */
function readOwn(file: string): { readonly text: string; readonly mtimeMs: number } | undefined {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return undefined;
    if (code === 'EACCES') {
      const who = `uid ${process.geteuid?.()}`;
      throw new Error(`${file} cannot be read: run pman_do as the user of pman (${who})`, {
        cause: error,
      });
    }
    if (code !== 'ELOOP') throw error;
    throw new Error(`${file} is a symbolic link and is left alone`, { cause: error });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    const self = process.getuid?.();
    if (self !== undefined && stat.uid !== self && stat.uid !== 0) {
      throw new Error(`${file} belongs to another user (uid ${stat.uid}) and is left alone`);
    }
    return { text: readFileSync(fd, 'utf8'), mtimeMs: stat.mtimeMs };
  } finally {
    closeSync(fd);
  }
}

function commandIn(text: string): Command {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new BadRequestError('it holds no JSON object');
  return parseCommand(value);
}

async function graceAfter(ending: AbortSignal, signal: AbortSignal): Promise<void> {
  if (!ending.aborted) await once(ending, 'abort', { signal });
  await sleep(GRACE_MS);
}

function reject(file: string, now: string, error: unknown, log: Logger): void {
  const aside = `${file}.rejected-${Date.now()}`;
  renameSync(now, aside);
  log.error('the directive file was rejected', { reason: messageOf(error), movedTo: aside });
}
