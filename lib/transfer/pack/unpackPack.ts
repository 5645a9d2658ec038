import { unlinkSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { PmanError } from '../../errors.ts';
import { YoungGarbage } from '../../host/youngGarbage.ts';
import { giveBack } from '../blockRing.ts';
import { type Check, startCheck } from '../contentCheck.ts';
import { HeldTree } from '../heldTree.ts';
import { install } from '../install.ts';
import { OpenFolder } from '../openFolder.ts';
import type { Partial } from '../partial.ts';
import { dressFolders, StagedTree } from '../stagedTree.ts';
import { openStaging } from '../staging.ts';
import type { Stored } from '../storeFile.ts';
import type { UnpackOptions } from '../unpack.ts';
import { BlockReader } from './blocks.ts';
import type { FailedEntry } from './failedEntry.ts';
import { PackReader } from './packReader.ts';
import { PackTree } from './packTree.ts';

/** A pack that arrives. */
export interface ArrivingPack {
  /** The blocks of the pack. */
  readonly source: Readable;
  readonly check: Check;
  /** Where what arrives is kept as well, so that the transfer can go on: it was cut at the first byte that comes. */
  readonly kept?: { readonly partial: Partial; readonly offset: number } | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Hears of what the other side could not send, which is left out then. Default: a pack has to be whole. */
  readonly onFailed?: ((entry: FailedEntry) => void) | undefined;
  /** Before it settles, what comes has not come to its end, though the source has. */
  readonly ended?: Promise<unknown> | undefined;
  /** May refuse what has arrived, before anything is put in place. */
  readonly accept: (stored: Stored) => void | Promise<void>;
}

export interface UnpackedPack extends Stored {
  readonly files: number;
  /** Of what came, as it was sent. */
  readonly arrivedBytes: number;
}

/** Of all packs: memory that was made for what has been unpacked. */
const spent = new YoungGarbage();

/**
 * Unpacks a pack into a folder while it comes: beside its place, where it is moved when all of it is there and right.
 * When it fails, nothing has changed. What is kept of it is removed, unless it broke off, was given up,
 * or found the disk full.
 * @throws PmanError naming the entry and what is wrong with it; what the source and `accept` fail with
 */
export async function unpackPack(
  folder: string,
  pack: ArrivingPack,
  options: UnpackOptions,
): Promise<UnpackedPack> {
  const { kept, accept, onFailed } = pack;
  const arrival = new Arrival(pack);
  let isDone = true;
  try {
    const staging = await openStaging(folder);
    const staged = new StagedTree(staging.folder);
    const { limits, rooted, followLinks, signal } = options;
    const held = OpenFolder.at(folder, undefined);
    const place = new HeldTree(held);
    const arrived = () => arrival.bytes;
    const tree = new PackTree(staged, { limits, folder, place, arrived, onFailed });
    try {
      const stored = await arrival.unpack(new PackReader(tree), signal);
      await accept(stored);
      removeDropped(staging.folder, tree.dropped);
      tree.makeLinks({ rooted, followLinks });
      staged.close();
      await install(staging.folder, folder, options);
      await dressFolders(tree.folders, folder, options);
      return { ...stored, files: tree.files, arrivedBytes: arrival.bytes };
    } finally {
      tree.giveUp();
      staged.close();
      place.close();
      held.close();
      await staging.close();
    }
  } catch (error) {
    // A disk may have room again by the next try; what is refused for what it says of itself has not filled it.
    const isFull =
      error instanceof PmanError && error.code === 'storage' && error.cause !== undefined;
    isDone = !arrival.isBroken && !isFull && options.signal?.aborted !== true;
    throw error;
  } finally {
    await kept?.partial.close({ done: isDone });
  }
}

/** Of a file that could not be sent to its end nothing is put in place. */
function removeDropped(staging: OpenFolder, names: ReadonlySet<string>): void {
  const tree = new HeldTree(staging);
  try {
    for (const name of names) unlinkSync(tree.way(name));
  } finally {
    tree.close();
  }
}

class Arrival {
  /** Whether it broke off: what has come is right, as far as anybody knows. */
  isBroken = true;
  /** What has come, as it was sent; what was there before counts as it is. */
  bytes = 0;
  readonly #pack: ArrivingPack;

  constructor(pack: ArrivingPack) {
    this.#pack = pack;
  }

  async unpack(reader: PackReader, signal: AbortSignal | undefined): Promise<Stored> {
    const { source, check, kept, onBytes } = this.#pack;
    this.isBroken = false;
    const digester = startCheck(check);
    const blocks = new BlockReader();
    const end = () => source.destroy(kept?.partial.superseded.reason);
    kept?.partial.superseded.addEventListener('abort', end);
    let packBytes = 0;
    const take = async (piece: Buffer) => {
      digester.update(piece);
      packBytes += piece.length;
      await reader.take(piece);
    };
    try {
      for await (const chunk of this.#before()) {
        signal?.throwIfAborted();
        this.bytes += chunk.length;
        await take(chunk);
      }
      for await (const chunk of this.#coming()) {
        signal?.throwIfAborted();
        this.bytes += chunk.length;
        for (const piece of blocks.contentOf(chunk)) {
          const keeping = this.#keep(piece);
          // Waited for below; until then a failure is nobody's.
          keeping?.catch(() => {});
          try {
            await take(piece);
          } finally {
            await keeping;
          }
          // What was deflated has memory of its own.
          if (piece.buffer !== chunk.buffer) spent.passed(piece.length);
        }
        onBytes?.(chunk.length);
        if (!giveBack(chunk)) spent.passed(chunk.length);
      }
      blocks.finish();
      reader.finish();
      return { bytes: packBytes, digest: digester.digest('hex') };
    } finally {
      kept?.partial.superseded.removeEventListener('abort', end);
    }
  }

  async *#before(): AsyncGenerator<Buffer> {
    const { kept } = this.#pack;
    if (kept === undefined) return;
    const { partial, offset } = kept;
    await partial.cut(offset);
    if (offset > 0) yield* partial.read() as AsyncIterable<Buffer>;
  }

  async *#coming(): AsyncGenerator<Buffer> {
    const { source, ended } = this.#pack;
    this.isBroken = true;
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        this.isBroken = false;
        yield chunk;
        this.isBroken = true;
      }
      await ended;
    } catch (error) {
      this.#pack.kept?.partial.superseded.throwIfAborted();
      throw error;
    }
    this.isBroken = false;
  }

  #keep(piece: Buffer): Promise<void> | undefined {
    return this.#pack.kept?.partial.write(piece);
  }
}
