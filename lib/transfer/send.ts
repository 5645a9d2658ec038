import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { base64Encoder } from './base64.ts';
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

/** The bytes of a plan as a stream; the same bytes each time as long as nothing changes. */
export function sendingStream({ path, archive, encoding, prefix }: SendPlan): Readable {
  const content = archive
    ? zipStream(walkTree(path, { prefix }))
    : createReadStream(path, { highWaterMark: 1024 * 1024 });
  if (encoding === 'none') return content;
  const encoder = base64Encoder(SHORTEST_BASE64);
  content.once('error', (error: Error) => encoder.destroy(error));
  encoder.once('close', () => content.destroy());
  return content.pipe(encoder);
}

export interface Counted {
  bytes: number;
  sha256: string;
}

/**
 * The stream from an offset on. `total` is filled when the stream has ended: length and SHA-256 of
 * the whole, the part that was left out included.
 */
export async function* streamFrom(
  source: Readable,
  offset: number,
  total: Counted,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of source as AsyncIterable<Buffer>) {
    hash.update(chunk);
    const skip = Math.min(chunk.length, Math.max(0, offset - total.bytes));
    total.bytes += chunk.length;
    if (skip < chunk.length) yield skip === 0 ? chunk : chunk.subarray(skip);
  }
  total.sha256 = hash.digest('hex');
}

/** The length of what a plan sends, found by making it once. */
export async function measure(plan: SendPlan): Promise<number> {
  let bytes = 0;
  for await (const chunk of sendingStream(plan) as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}
