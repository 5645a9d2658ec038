import { z } from 'zod';
import type { Chunk } from '../../transfer/chunker.ts';
import { parseJsonOrUndefined } from '../../transfer/jsonText.ts';
import { PurlFailure } from '../failure.ts';
import { readText, send } from '../http/httpClient.ts';
import { forPeer, type Peer } from '../peer.ts';

/** Asks our own pfioh with a message of JSON. @throws PurlFailure when it refuses, or answers something else */
async function askJson<T extends z.ZodType>(
  peer: Peer,
  action: string,
  meta: Readonly<Record<string, unknown>>,
  schema: T,
): Promise<z.infer<T>> {
  const how = forPeer(peer);
  const body = JSON.stringify({ action, meta });
  const headers: [string, string][] = [...how.headers, ['Content-Type', 'application/json']];
  const answer = await send({ ...how, method: 'POST', url: peer.url, headers, body }, peer.client);
  const said = parseJsonOrUndefined(await readText(answer));
  const status = answer.statusCode ?? 0;
  if (status >= 400) {
    const { data } = z.looseObject({ msg: z.string() }).safeParse(said);
    const why = data?.msg ?? `${status} ${answer.statusMessage}`;
    const kind = status === 409 ? 'changed' : 'transfer';
    throw new PurlFailure(kind, `${peer.url.host} refused "${action}": ${why}`);
  }
  const { data } = schema.safeParse(said);
  if (data !== undefined) return data;
  throw new PurlFailure('badAnswer', `${peer.url.host} did not answer "${action}" as it should`);
}

const entrySchema = z.tuple([
  z.string(),
  z.enum(['file', 'folder', 'link']),
  z.number(),
  z.number(),
]);

const treeSchema = z.looseObject({
  kind: z.enum(['file', 'folder', 'link']),
  tag: z.string(),
  /** Earlier servers of ours do not say it. */
  shape: z.string().optional(),
  next: z.int().optional(),
  entries: z.array(entrySchema),
  /** Earlier servers of ours do not say it: they list no place in which something cannot be sent. */
  leftOut: z.array(z.tuple([z.string(), z.string()])).optional(),
});

export interface RemoteEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly size: number;
  readonly mode: number;
}

/** What there is below a place of a pfioh, in the order of a pull. */
export interface RemoteTree {
  readonly kind: 'file' | 'folder' | 'link';
  readonly tag: string;
  /** The same as long as there are the same entries, whatever they hold. */
  readonly shape: string | undefined;
  readonly entries: readonly RemoteEntry[];
  /** What cannot be pulled, by its name, and why; the names of folders end with `/`. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/**
 * Lists a place. With `leavesOut`, what cannot be pulled is no error, but told of.
 * @throws PurlFailure `changed` when entries come or go while it is listed
 */
export async function askTree(
  peer: Peer,
  path: string,
  { leavesOut = false }: { readonly leavesOut?: boolean } = {},
): Promise<RemoteTree> {
  const entries: RemoteEntry[] = [];
  let first: z.infer<typeof treeSchema> | undefined;
  for (let from: number | undefined = 0; ; ) {
    const page: z.infer<typeof treeSchema> = await askJson(
      peer,
      'tree',
      { path, from, ...(leavesOut && { leavesOut }) },
      treeSchema,
    );
    first ??= page;
    const { tag, shape } = first;
    if ((shape ?? tag) !== (page.shape ?? page.tag))
      throw new PurlFailure('changed', `${path} changes while it is listed`);
    for (const [name, kind, size, mode] of page.entries) entries.push({ name, kind, size, mode });
    from = page.next;
    if (from === undefined) {
      return { kind: page.kind, tag, shape, entries, leftOut: new Map(page.leftOut) };
    }
  }
}

const digestsSchema = z.looseObject({
  found: z.array(z.tuple([z.string(), z.number()]).nullable()),
});

export interface SizedFile {
  readonly name: string;
  readonly size: number;
}

/** What the other side has of files: the SHA-256 and the permission bits; undefined: no file of that name and size. */
export type Found = { readonly sha256: string; readonly mode: number } | undefined;

/** What one message asks about: so much is looked at in a few seconds, and the message stays short. */
const MOST_FILES = 1000;
const MOST_BYTES = 512 * 1024 * 1024;
const MOST_TEXT = 400_000;

/** Asks what is there of each file, in order. @throws PurlFailure */
export async function* askDigests(
  peer: Peer,
  path: string,
  files: readonly SizedFile[],
): AsyncGenerator<{ readonly file: SizedFile; readonly found: Found }> {
  const ask = (batch: readonly SizedFile[] | undefined) => {
    const asked = batch?.map(({ name, size }) => [name, size]);
    const answer = asked && askJson(peer, 'digests', { path, files: asked }, digestsSchema);
    // Waited for when those before have been looked at; until then a failure is nobody's.
    answer?.catch(() => {});
    return answer;
  };
  const all = [...batches(files)];
  let coming = ask(all[0]);
  for (const [at, batch] of all.entries()) {
    const found = (await coming)?.found ?? [];
    // Both sides look at files at the same time.
    coming = ask(all[at + 1]);
    for (const [i, file] of batch.entries()) {
      const there = found[i] ?? undefined;
      yield { file, found: there && { sha256: there[0], mode: there[1] } };
    }
  }
}

function* batches(files: readonly SizedFile[]): Generator<readonly SizedFile[]> {
  let batch: SizedFile[] = [];
  let bytes = 0;
  let text = 0;
  for (const file of files) {
    const length = 2 * file.name.length + 20;
    const isFull =
      batch.length === MOST_FILES || bytes + file.size > MOST_BYTES || text + length > MOST_TEXT;
    if (isFull && batch.length > 0) {
      yield batch;
      [batch, bytes, text] = [[], 0, 0];
    }
    batch.push(file);
    bytes += file.size;
    text += length;
  }
  if (batch.length > 0) yield batch;
}

const chunksSchema = z.looseObject({
  chunks: z.array(z.tuple([z.int().min(1), z.string()])).nullable(),
});

/** The chunks of a file on the other side; undefined when there is none. @throws PurlFailure */
export async function askChunks(
  peer: Peer,
  path: string,
  file: string,
  bits: number,
): Promise<readonly Chunk[] | undefined> {
  const { chunks } = await askJson(peer, 'chunks', { path, file, bits }, chunksSchema);
  return chunks ?? undefined;
}

const anything = z.looseObject({});

/** Removes what is below a place. @throws PurlFailure */
export async function askRemoval(peer: Peer, path: string, subdir?: string): Promise<void> {
  await askJson(peer, 'rmtree', { path, ...(subdir === undefined ? {} : { subdir }) }, anything);
}

const copySchema = z.looseObject({ status: z.literal(true) });

/**
 * Copies a folder below another one, both on the other side.
 * @throws PurlFailure `changed` when it changes meanwhile
 */
export async function askCopyThere(peer: Peer, from: string, to: string): Promise<void> {
  const transport = { mechanism: 'copy', copy: { symlink: false } };
  const meta = { local: { path: from }, remote: { path: to }, transport };
  await askJson(peer, 'pushPath', meta, copySchema);
}
