import { once } from 'node:events';
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, systemErrorCode } from '../errors.ts';
import type { Logger } from '../log.ts';
import { isJsonObject, parseJson } from '../wire/json.ts';
import { type Command, parseCommand } from '../wire/request.ts';

export interface DirectiveFileOptions {
  readonly file: string;
  /** Does what the directive asks for. What it throws is reported, and the file kept aside. */
  readonly obey: (command: Command) => Promise<unknown>;
  readonly log: Logger;
}

/** How often the file is looked for, in milliseconds. */
const POLL_MS = 250;
/** A file that is no JSON is being written, until it has not changed for so long (milliseconds). */
const SETTLED_MS = 5000;

/** How long the end of the server waits for a directive that is being obeyed, in milliseconds. */
const GRACE_MS = 300;

/**
 * Watches for the directive file (protocol d): a bare command, `{"action": …, "meta": {…}}`, without the envelope. It
 * is executed once and then removed. One that is being written is waited for; one that stays unreadable, or whose
 * command fails, is moved aside, as `<file>.rejected-<time>`.
 *
 * Whoever may write the file commands this server. The default place is a folder for everybody, so that a file of
 * another user is left alone, unless root wrote it, and so is a symbolic link.
 * @returns what ends the watch; a directive that is being obeyed gets a moment to finish (a run may take days)
 */
export function watchDirectiveFile(options: DirectiveFileOptions): { close(): Promise<void> } {
  const ending = new AbortController();
  const watch = async () => {
    let complained = '';
    while (!ending.signal.aborted) {
      try {
        await lookOnce(options, ending.signal);
        complained = '';
      } catch (error) {
        const message = messageOf(error);
        if (message !== complained) options.log.warn('the directive file', { error: message });
        complained = message;
      }
      await sleep(POLL_MS, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  };
  const watching = watch();
  return {
    close: async () => {
      ending.abort();
      await watching;
    },
  };
}

async function lookOnce(
  { file, obey, log }: DirectiveFileOptions,
  ending: AbortSignal,
): Promise<void> {
  const found = readOwn(file);
  if (found === undefined) return;
  let command: Command;
  try {
    command = commandIn(found.text);
  } catch (error) {
    if (Date.now() - found.mtimeMs > SETTLED_MS) reject(file, file, error, log);
    return;
  }
  // Taken away before it is obeyed: a crash in between does not execute it twice.
  const taken = `${file}.taken-${process.pid}`;
  renameSync(file, taken);
  try {
    await Promise.race([obey(command), graceAfter(ending)]);
    rmSync(taken);
    log.info('the directive file was obeyed', { action: command.action });
  } catch (error) {
    reject(file, taken, error, log);
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
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    if (systemErrorCode(error) !== 'ELOOP') throw error;
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
  if (!isJsonObject(value)) throw new Error('it holds no JSON object');
  return parseCommand(value);
}

async function graceAfter(ending: AbortSignal): Promise<void> {
  if (!ending.aborted) await once(ending, 'abort');
  await sleep(GRACE_MS);
}

function reject(file: string, now: string, error: unknown, log: Logger): void {
  const aside = `${file}.rejected-${Date.now()}`;
  renameSync(now, aside);
  log.error('the directive file was rejected', { reason: messageOf(error), movedTo: aside });
}
