import { createReadStream } from 'node:fs';
import { pipeline, Readable, Transform } from 'node:stream';
import { base64Encoder } from './base64.ts';
import { meter } from './meter.ts';
import { archiveName, fingerprint, type TreeEntry, walkTree } from './tree.ts';
import { zipStream } from './zip/writer.ts';

export type Encoding = 'none' | 'base64';

/** What of a path is sent and in which form. */
export interface SendPlan {
  readonly path: string;
  /** The path itself, first entry of the walk. */
  readonly root: TreeEntry;
  readonly archive: boolean;
  readonly encoding: Encoding;
  /** What names in the archive start with: the name of what is sent, or nothing for its content. */
  readonly prefix: string;
  /** Changes when what is sent changes. */
  readonly tag: string;
  /** The number of bytes that will be sent, where that is known beforehand. */
  readonly bytes: number | undefined;
}

export interface SendOptions {
  readonly archive: boolean;
  readonly encoding: Encoding;
  /** Send the content of a folder, without its name. */
  readonly contentOnly: boolean;
}

/**
 * Looks at what is to be sent. Folders always go as an archive.
 * @throws PmanError for a path or tree that cannot be sent
 */
export async function planSending(path: string, options: SendOptions): Promise<SendPlan> {
  const clean = path.length > 1 ? path.replace(/\/+$/, '') : path;
  const root = await rootOf(clean);
  const archive = options.archive || root.kind === 'folder';
  const prefix = options.contentOnly && root.kind === 'folder' ? '' : archiveName(clean);
  const tag = await fingerprint(clean, { prefix });
  const form = `${archive ? 'zip' : 'raw'}-${options.encoding}`;
  const bytes = archive
    ? undefined
    : options.encoding === 'base64'
      ? 4 * Math.ceil(root.size / 3)
      : root.size;
  return {
    path: clean,
    root,
    archive,
    encoding: options.encoding,
    prefix,
    tag: `${tag}-${form}`,
    bytes,
  };
}

async function rootOf(path: string): Promise<TreeEntry> {
  const [first] = await Readable.from(walkTree(path, { prefix: 'root' }))
    .take(1)
    .toArray();
  return first as TreeEntry;
}

// purl 1.6.2 takes an answer of less than 800 characters for an error report.
const SHORTEST_BASE64 = 801;

/** A plan under way. The two figures are right when the stream has ended. */
export interface Sending {
  readonly stream: Readable;
  /** The bytes of the whole as sent, what the offset left out included. */
  readonly bytes: number;
  /** SHA-256 of the content before it is encoded. */
  sha256(): string;
}

/**
 * The bytes of a plan from an offset on; the same bytes each time as long as nothing changes. What
 * the offset leaves out is made and counted too.
 */
export function startSending(
  plan: SendPlan,
  offset = 0,
  onBytes?: (bytes: number) => void,
): Sending {
  const hashed = meter();
  let bytes = 0;
  // The way of one chunk has no asynchronous iteration: that would put chunks together by copying.
  const cut = new Transform({
    highWaterMark: 256 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      const skip = Math.min(chunk.length, Math.max(0, offset - bytes));
      bytes += chunk.length;
      if (skip < chunk.length) onBytes?.(chunk.length - skip);
      done(null, skip === chunk.length ? undefined : skip === 0 ? chunk : chunk.subarray(skip));
    },
  });
  const content = plan.archive
    ? zipStream(walkTree(plan.path, { prefix: plan.prefix }))
    : createReadStream(plan.path, { highWaterMark: 512 * 1024 });
  const encoder = plan.encoding === 'base64' ? [base64Encoder(SHORTEST_BASE64)] : [];
  // An error of any part ends the last one, where the reader hears of it.
  pipeline([content, hashed, ...encoder, cut], () => {});
  let digest: string | undefined;
  return {
    stream: cut,
    get bytes() {
      return bytes;
    },
    sha256: () => {
      digest ??= hashed.digest();
      return digest;
    },
  };
}

/** The length of what a plan sends, found by making it once. */
export async function measure(plan: SendPlan): Promise<number> {
  const sending = startSending(plan);
  for await (const _ of sending.stream) {
    // Only the length is wanted.
  }
  return sending.bytes;
}
