import { realpathSync } from 'node:fs';
import { pipeline, Readable, type Writable } from 'node:stream';
import { pipeline as pipelineTo } from 'node:stream/promises';
import { base64Encoder } from './base64.ts';
import { type Check, SHA256, startCheck } from './contentCheck.ts';
import type { Patch } from './pack/patch.ts';
import { pumpFile } from './pump.ts';
import { changedError, sourceError } from './sourceError.ts';
import { contentOf, SteadyFile, smallContent } from './steadyFile.ts';
import { type Choice, type Survey, survey } from './survey.ts';
import { Tap } from './tap.ts';
import { archiveName, type TreeEntry, type WalkOptions, walkTree } from './tree.ts';
import { zipStream } from './zip/archiveWriter.ts';

export type Encoding = 'none' | 'base64';

/** What of a path is sent and in which form. */
export interface SendPlan {
  readonly path: string;
  /** The path itself, first entry of the walk. */
  readonly root: TreeEntry;
  /** The file whose content is sent without an archive: the path itself, or what it leads to. */
  readonly file: TreeEntry;
  readonly archive: boolean;
  readonly encoding: Encoding;
  /** What an archive of it holds. */
  readonly entries: Survey['entries'];
  /** How many entries that are. */
  readonly count: number;
  /** Changes when what is sent changes. */
  readonly tag: string;
  /** Changes when anything in the tree changes, whether it is sent or not. */
  readonly treeTag: string;
  /** The number of bytes that will be sent, where that is known beforehand. */
  readonly bytes: number | undefined;
  /** Changes when there are other entries in the tree: not when only sizes, times, modes or content do. */
  readonly shape: string;
  /** Whether a pack goes on behind a file that cannot be read, or changes meanwhile, and says so in it. */
  readonly goesOn?: boolean | undefined;
  /** How files are sent in a pack of which the other side has much, by their names. */
  readonly patches?: ReadonlyMap<string, Patch>;
  /** What `startSending` counts up to: bytes read from the tree for an archive, else bytes sent. */
  readonly workBytes: number;
}

export interface SendOptions {
  readonly archive: boolean;
  readonly encoding: Encoding;
  /** Send the content of a folder, without its name. */
  readonly contentOnly: boolean;
  /** The store that nothing may be read outside of; undefined when the whole file system is open. */
  readonly within?: string | undefined;
  /** What of a tree is wanted; default: all. */
  readonly chosen?: Choice | undefined;
  /** Hears of what below the path cannot be sent, which is left out then. Default: that is an error. */
  readonly leftOut?: WalkOptions['leftOut'];
  readonly goesOn?: boolean | undefined;
}

/**
 * Looks at what is to be sent. Folders always go as an archive.
 * @throws PmanError for a path or tree that cannot be sent
 */
export async function planSending(path: string, options: SendOptions): Promise<SendPlan> {
  const clean = path.length > 1 ? path.replace(/\/+$/, '') : path;
  const { within, leftOut } = options;
  const root = await rootOf(clean, within);
  const archive = options.archive || root.kind === 'folder';
  const prefix = options.contentOnly && root.kind === 'folder' ? '' : archiveName(clean);
  const found = await survey(clean, { prefix, within, leftOut }, options.chosen);
  const { tag, treeTag, shape, entries, count, bytes: treeBytes } = found;
  const form = `${archive ? 'zip' : 'raw'}-${options.encoding}`;
  const file = root.kind === 'link' && !archive ? await rootOf(realPath(clean), within) : root;
  const bytes = archive ? undefined : bytesSent(file, options.encoding);
  return {
    path: clean,
    root,
    file,
    archive,
    encoding: options.encoding,
    entries,
    count,
    tag: `${tag}-${form}`,
    treeTag,
    shape,
    goesOn: options.goesOn,
    bytes,
    workBytes: archive ? treeBytes : (bytes ?? 0),
  };
}

// A file that is as small as the sizes that systems make up may have another one than it says.
const MADE_UP_SIZE = 64 * 1024;

/** How many bytes a file is sent as; undefined when it does not say the truth about its size. */
function bytesSent(entry: TreeEntry, encoding: Encoding): number | undefined {
  if (entry.kind !== 'file') return undefined;
  const { size } = entry;
  if (size <= MADE_UP_SIZE) {
    const file = new SteadyFile(entry);
    try {
      if (smallContent(file, size)?.length !== size) return undefined;
    } finally {
      file.closeSync();
    }
  }
  return encoding === 'none' ? size : Math.max(SHORTEST_BASE64, 4 * Math.ceil(size / 3));
}

async function rootOf(path: string, within: string | undefined): Promise<TreeEntry> {
  const [first] = await Readable.from(walkTree(path, { prefix: 'root', within }))
    .take(1)
    .toArray();
  return first as TreeEntry;
}

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (cause) {
    throw sourceError(path, 'read', cause);
  }
}

// purl 1.6.2 takes an answer of less than 800 characters for an error report.
const SHORTEST_BASE64 = 801;
const READ_BYTES = 512 * 1024;

/** A plan under way: to be asked for its bytes once, in one of two ways. The figures are right when all was sent. */
export interface Sending {
  /** The bytes of the whole as sent, what the offset left out included. */
  readonly bytes: number;
  /** Of the content before it is encoded, in hexadecimal. */
  digest(): string;
  stream(): Readable;
  /** Writes everything to a stream, which stays open; the cheaper way for a plain file. */
  sendTo(out: Writable): Promise<void>;
}

/**
 * The bytes of a plan from an offset on; the same bytes each time as long as nothing changes. What
 * the offset leaves out is made and counted too. `onBytes` hears how the work gets on, up to
 * `workBytes`: an archive is read from its start again, whatever the offset.
 */
export function startSending(
  plan: SendPlan,
  offset = 0,
  onBytes?: (bytes: number) => void,
  check: Check = SHA256,
): Sending {
  const digester = startCheck(check);
  const isBase64 = plan.encoding === 'base64';
  let count = () => 0;
  let digest: string | undefined;
  const stream = () => {
    const tail = new Tap({
      skip: offset,
      onBytes: plan.archive ? undefined : onBytes,
      ...(isBase64 ? {} : { digester }),
    });
    // What the offset leaves out is said at once, when there is something to send again.
    let unsaid = 0;
    const say = () => {
      onBytes?.(unsaid);
      unsaid = 0;
    };
    const onRead = (bytes: number) => {
      unsaid += bytes;
      if (tail.bytes >= offset) say();
    };
    if (plan.archive) tail.once('finish', say);
    const content = plan.archive
      ? zipStream(plan.entries(), { onRead })
      : Readable.from(fileContent(plan.file), { objectMode: false, highWaterMark: READ_BYTES });
    const encoding = isBase64 ? [new Tap({ digester }), base64Encoder(SHORTEST_BASE64)] : [];
    // An error of any part ends the last one, where the reader hears of it.
    pipeline([content, ...encoding, tail], () => {});
    count = () => tail.bytes;
    return tail;
  };
  return {
    get bytes() {
      return count();
    },
    digest: () => {
      digest ??= digester.digest('hex');
      return digest;
    },
    stream,
    async sendTo(out) {
      if (plan.archive || isBase64) await pipelineTo(stream(), out, { end: false });
      else {
        const bytes = await pumpFile(plan.file, out, { digester, skip: offset, onBytes });
        count = () => bytes;
      }
      checkAnnounced(plan, count());
    },
  };
}

async function* fileContent(entry: TreeEntry): AsyncGenerator<Buffer> {
  const file = new SteadyFile(entry);
  try {
    file.checkAsFound(entry);
    yield* contentOf(file, READ_BYTES);
  } finally {
    await file.close();
  }
}

/** The other side was told the length of a plain file. @throws SourceError when that was wrong */
function checkAnnounced({ bytes, path }: SendPlan, sent: number): void {
  if (bytes === undefined || bytes === sent) return;
  throw changedError(path, `had ${sent} bytes in place of ${bytes}`);
}

/** The length of what a plan sends, found by making it once. */
export async function measure(plan: SendPlan): Promise<number> {
  const sending = startSending(plan);
  for await (const _ of sending.stream()) {
    // Only the length is wanted.
  }
  return sending.bytes;
}
