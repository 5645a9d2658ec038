import type { Writable } from 'node:stream';
import { YoungGarbage } from '../../host/youngGarbage.ts';
import { BUFFER_BYTES, BufferRing } from '../bufferRing.ts';
import type { Digester } from '../contentCheck.ts';
import type { TreeEntry } from '../tree.ts';
import { BLOCK_HEAD_BYTES, BlockPacker, writeBlockHead } from './blocks.ts';
import { LinkRate } from './linkRate.ts';
import { HEAD_BYTES, type Kind, writeHead } from './packFormat.ts';

export interface PackOptions {
  /** Takes in the whole pack, what is left out too. */
  readonly digester: Digester;
  /** How many bytes of the pack are not sent. */
  readonly skip: number;
  /** Hears how many bytes of files were read; of those left out, when there is something to send. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/** Of all packs: memory that blocks were deflated into. */
const spent = new YoungGarbage();

/** What a pack is written into: buffers that go out as blocks, one after the other. */
export class PackOut {
  buffer: Buffer = Buffer.alloc(0);
  /** Where in the buffer the next byte goes. */
  at = 0;
  readonly #ring: BufferRing;
  readonly #options: PackOptions;
  readonly #packer = new BlockPacker();
  readonly #rate = new LinkRate();
  /** Of the pack, what was sent or left out. */
  #sent = 0;
  #unsaid = 0;

  constructor(out: Writable, options: PackOptions) {
    this.#ring = new BufferRing(out);
    this.#options = options;
  }

  /** Sends what is left, and gives the number of bytes of the pack. */
  async end(): Promise<number> {
    this.#flush();
    this.#say();
    await this.#ring.allSent(0);
    return this.#sent;
  }

  close(): void {
    this.#ring.close();
  }

  /** Writes the head of a record, and its name; there has to be room. */
  head(
    kind: Kind,
    { mode, mtimeNs }: Pick<TreeEntry, 'mode' | 'mtimeNs'>,
    name: Buffer,
    bytes: number,
  ): void {
    writeHead({ kind, nameBytes: name.length, mode, mtimeNs, bytes }, this.buffer, this.at);
    this.at += HEAD_BYTES;
    this.at += name.copy(this.buffer, this.at);
  }

  /** Tells of bytes of a file that were read. */
  read(bytes: number): void {
    this.#unsaid += bytes;
    if (this.#sent >= this.#options.skip) this.#say();
  }

  #say(): void {
    if (this.#unsaid > 0) this.#options.onRead?.(this.#unsaid);
    this.#unsaid = 0;
  }

  /** Makes sure that so much fits into the buffer. */
  async room(bytes: number): Promise<void> {
    if (this.at + bytes <= BUFFER_BYTES) return;
    this.#flush();
    await this.next();
  }

  /** Takes a new buffer. */
  async next(): Promise<void> {
    const asked = performance.now();
    this.buffer = await this.#ring.take();
    this.#rate.sent(0, performance.now() - asked);
    this.at = BLOCK_HEAD_BYTES;
  }

  /** Sends what is in the buffer, but for what is left out. */
  #flush(): void {
    const content = this.buffer.subarray(BLOCK_HEAD_BYTES, this.at);
    this.#options.digester.update(content);
    const left = Math.min(content.length, Math.max(0, this.#options.skip - this.#sent));
    this.#sent += content.length;
    const bytes = content.length - left;
    if (bytes === 0) {
      this.#ring.give(this.buffer);
      return;
    }
    const from = this.buffer.subarray(left, this.at);
    const packed = this.#rate.isSlow
      ? this.#packer.pack(from.subarray(BLOCK_HEAD_BYTES))
      : undefined;
    packed?.copy(from, BLOCK_HEAD_BYTES);
    if (packed !== undefined) spent.passed(bytes);
    const packedBytes = packed?.length ?? bytes;
    writeBlockHead(bytes, packedBytes, from, 0);
    this.#ring.send(from.subarray(0, BLOCK_HEAD_BYTES + packedBytes), this.buffer);
    this.#rate.sent(packedBytes, 0);
  }
}
