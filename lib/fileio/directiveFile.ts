import { once } from 'node:events';
import { lstatSync, readFileSync, renameSync, rmSync } from 'node:fs';
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
/** How long the end of the server waits for a directive that is being obeyed, in milliseconds. */
const GRACE_MS = 300;
/** A file that is no JSON is being written, until it has not changed for so long (milliseconds). */
const SETTLED_MS = 5000;

/**
 * Watches for the directive file (protocol d): a bare command, `{"action": …, "meta": {…}}`, without the envelope. It
 * is executed once and then removed. One that is being written is waited for; one that stays unreadable, or whose
 * command fails, is moved aside, as `<file>.rejected-<time>`.
 *
 * Whoever may write the file commands this server. The default place is a folder for everybody, so that a file of
 * another user is left alone, unless root wrote it.
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
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return;
  // A link of anybody's could lead to a file of ours.
  if (!stat.isFile()) throw new Error(`${file} is no plain file and is left alone`);
  const self = process.getuid?.();
  if (self !== undefined && stat.uid !== self && stat.uid !== 0) {
    throw new Error(`${file} belongs to another user (uid ${stat.uid}) and is left alone`);
  }
  let command: Command;
  try {
    command = readCommand(file);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    if (Date.now() - stat.mtimeMs > SETTLED_MS) reject(file, file, error, log);
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

async function graceAfter(ending: AbortSignal): Promise<void> {
  if (!ending.aborted) await once(ending, 'abort');
  await sleep(GRACE_MS);
}

function readCommand(file: string): Command {
  const value = parseJson(readFileSync(file, 'utf8'));
  if (!isJsonObject(value)) throw new Error('it holds no JSON object');
  return parseCommand(value);
}

function reject(file: string, now: string, error: unknown, log: Logger): void {
  const aside = `${file}.rejected-${Date.now()}`;
  renameSync(now, aside);
  log.error('the directive file was rejected', { reason: messageOf(error), movedTo: aside });
}
