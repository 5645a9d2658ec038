import {
  appendFileSync,
  closeSync,
  existsSync,
  fchownSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { sharedCall } from '../../lib/concurrency/sharedCall.ts';
import { systemErrorCode } from '../../lib/errors.ts';
import { makeFolder } from '../../lib/host/folders.ts';
import { requireHeld, whereNow } from '../../lib/host/heldFolders.ts';
import type { HostUser } from '../../lib/host/users.ts';
import { type JournalLine, readJournal, type SpoolRequest, type SpoolState } from './journal.ts';

/**
 * The spool folder of one job: all that is needed to know what became of it, readable with cat.
 *
 *     job.jsonl   a line for what to run, one for each start and each end of a part, and for each order to end it; the
 *                 job counts as accepted once the first line is there
 *     stdin       the input of the job, where it was given one; each part reads it from its beginning
 *     <k>.out     standard output of part k, byte for byte; made when the part starts
 *     <k>.err     its standard error; made with its first byte
 *     <k>.ssh     of a part that runs over ssh: what its client has written to its stderr, from which <k>.err is made
 *     <k>.log     when they grew, for a part that took longer than a moment or has both (outputLog.ts)
 *
 * The runner writes a line before it tells anyone. One file for all lines: making a file costs a hundred times more than
 * adding to one (docs/decisions/0003).
 */
const JOURNAL = 'job.jsonl';

/** The path that the names of part k's files begin with: it names the part in this host. */
export function partName(folder: string, part: number): string {
  return join(folder, String(part));
}

/** Paths of the output files of part k. */
export function partFiles(folder: string, part: number) {
  const base = partName(folder, part);
  return { out: `${base}.out`, err: `${base}.err`, ssh: `${base}.ssh` };
}

/** Path of the file that holds the input of a job; there is none when it was given none. */
export function stdinFile(folder: string): string {
  return join(folder, 'stdin');
}

/**
 * Where the spool folder of a job lies now: as a rule where it was made. When somebody has moved the folder of all spool
 * folders, which this process holds, a job that has begun goes on there.
 */
export function placeNow(folder: string): string {
  return existsSync(folder) ? folder : whereNow(folder);
}

/** The path that the names of a part's files begin with now. */
export function partPlace(name: string): string {
  return join(placeNow(dirname(name)), basename(name));
}

/** What a job is to read, and the user who may read it; default: this one. */
export interface SpoolInput {
  readonly bytes: Uint8Array;
  readonly owner?: Pick<HostUser, 'uid' | 'gid'> | undefined;
}

/**
 * Makes the spool folder of a new job. When it returns, a crash of this process does not lose the job.
 * @param input goes to the disk first: an accepted job has all of it
 * @throws the file system's error (ENOSPC, EROFS, …); nothing then counts as accepted
 */
export function createSpool(folder: string, request: SpoolRequest, input?: SpoolInput): void {
  makeSpool(folder);
  if (input !== undefined) writeInput(stdinFile(folder), input, request.fsync === true);
  append(folder, { request }, request.fsync === true);
  if (request.fsync) syncPath(dirname(folder));
}

/**
 * Makes the spool folder of a job whose request is on the disk elsewhere until the first line behind it is in this one: that
 * line has the disk confirm both. One with a journal stays as it is.
 * @throws the file system's error; the next call makes anew what is there then
 */
export function openSpool(folder: string, request: SpoolRequest): void {
  if (isMade(folder)) append(folder, { request }, false);
  else if (readSpool(folder) === undefined) {
    rmSync(folder, { recursive: true, force: true });
    makeSpool(folder);
    append(folder, { request }, false);
  }
}

/** Makes a folder; false where there is something of that name. Mostly there is nothing: that is not looked for first. */
function isMade(folder: string): boolean {
  try {
    makeSpool(folder);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function writeInput(file: string, { bytes, owner }: SpoolInput, fsync: boolean): void {
  const fd = openSync(file, 'wx', 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
    if (fsync) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function makeSpool(folder: string): void {
  requireHeld(folder);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    // Somebody has cleared its parents away while the server ran.
    makeFolder(folder, 0o700);
  }
}

/** Writes down that a part has started or ended, or that no more is to run. The folder has to be there. */
export function writeLine(
  folder: string,
  line: Exclude<JournalLine, { readonly request: SpoolRequest }>,
  fsync: boolean,
): void {
  append(folder, line, fsync);
}

/**
 * The same, confirmed by the disk, without this process standing still: lines of many jobs share what the disk does for each
 * other. Where the line is not an end, the disk confirms the names of the folder and of its parents' entry as well.
 */
export async function writeConfirmedLine(
  folder: string,
  line: Parameters<typeof writeLine>[1],
): Promise<void> {
  const fd = openJournal(folder);
  try {
    addLine(fd, line);
    const isNew = !('end' in line);
    const parent = isNew ? flushTogether(dirname(folder)) : undefined;
    // Nothing is closed before all of them are over: another file may have the number then.
    const flushes = await Promise.allSettled([flush(fd), flushFolder(folder), parent]);
    for (const one of flushes) if (one.status === 'rejected') throw one.reason;
  } finally {
    closeSync(fd);
  }
}

/** One write(2) of one line: a kill of the process does not cut it. */
function append(folder: string, line: JournalLine, fsync: boolean): void {
  const fd = openJournal(folder);
  try {
    addLine(fd, line);
    if (fsync) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (fsync) syncPath(folder);
}

const openJournal = (folder: string) => openSync(join(folder, JOURNAL), 'a', 0o600);

function addLine(fd: number, line: JournalLine): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  const written = writeSync(fd, bytes);
  if (written === bytes.length) return;
  // A disk that fills up takes a part of it: nothing may come behind half a line.
  ftruncateSync(fd, fstatSync(fd).size - written);
  throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
}

const flush = promisify(fsync);

async function flushFolder(path: string): Promise<void> {
  const fd = openSync(path, 'r');
  try {
    await flush(fd);
  } finally {
    closeSync(fd);
  }
}

/** The flushes of folders that many spool folders are in, which those share that come meanwhile. */
const shared = new Map<string, () => Promise<void>>();

function flushTogether(path: string): Promise<void> {
  const known = shared.get(path);
  if (known !== undefined) return known();
  const call = sharedCall(() => flushFolder(path));
  shared.set(path, call);
  return call();
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Everything a spool folder says, or undefined when it holds no accepted job. What is no file is no journal: a pipe would be
 * waited for without end.
 */
export function readSpool(folder: string): SpoolState | undefined {
  const text = journalText(folder);
  return text === undefined ? undefined : readJournal(text);
}

function journalText(folder: string): string | undefined {
  const file = join(folder, JOURNAL);
  try {
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The same, with the last line of the journal ended where a crash of the machine has cut it: so nothing is added to that line.
 * @throws the file system's error
 */
export function readMendedSpool(folder: string): SpoolState | undefined {
  const text = journalText(folder);
  if (text === undefined) return undefined;
  const isCut = text !== '' && !text.endsWith('\n');
  if (isCut) appendFileSync(join(folder, JOURNAL), '\n');
  return readJournal(isCut ? `${text}\n` : text);
}

/** Takes away a journal that says nothing: what else the folder holds stays. */
export function discardJournal(folder: string): void {
  rmSync(join(folder, JOURNAL), { recursive: true, force: true });
}

/**
 * The record of the job is complete elsewhere: nothing but its outputs is needed any more. A folder without a journal
 * belongs to a job that has ended.
 */
export function closeSpool(folder: string): void {
  rmSync(join(folder, JOURNAL), { force: true });
}

/** Whether a spool folder belongs to a job whose record may not be complete. */
export function isOpenSpool(folder: string): boolean {
  return existsSync(join(folder, JOURNAL));
}

/** What the outputs of a job take, in bytes. */
export function outputBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  let bytes = 0;
  for (const name of readdirSync(folder)) {
    if (name === JOURNAL) continue;
    bytes += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
