import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BlockRing, giveBack } from '../../../../lib/transfer/blockRing.ts';
import { FileSink } from '../../../../lib/transfer/sink.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

describe('BlockRing', () => {
  it('writes over no piece that was not given back, in whatever order they are', () => {
    const read = fc.record({ bytes: fc.integer({ min: 1, max: 600_000 }), back: fc.nat() });
    fc.assert(
      fc.property(fc.array(read, { maxLength: 60 }), (reads) => {
        const ring = new BlockRing();
        const held: { piece: Buffer; mark: number }[] = [];
        for (const [i, { bytes, back }] of reads.entries()) {
          const { room } = ring;
          const count = Math.min(bytes, room.length);
          const mark = (i % 255) + 1;
          room.fill(mark, 0, count);
          held.push({ piece: ring.piece(0, count), mark });
          ring.filled(count);
          expect(ring.room.length).toBeGreaterThanOrEqual(64 * 1024);
          const [one] = back % 3 === 0 ? [] : held.splice(back % held.length, 1);
          if (one !== undefined) giveBack(one.piece);
        }
        for (const { piece, mark } of held) {
          expect([piece[0], piece.at(-1)]).toEqual([mark, mark]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('uses the same memory again and again when everything is given back', () => {
    const ring = new BlockRing();
    const memory = new Set<ArrayBufferLike>();
    for (let i = 0; i < 100; i += 1) {
      const { room } = ring;
      memory.add(room.buffer);
      const piece = ring.piece(0, room.length);
      ring.filled(room.length);
      expect([giveBack(piece), giveBack(piece)]).toEqual([true, false]);
    }
    expect(memory.size).toBeLessThanOrEqual(2);
  });

  it('has room for what nobody needs, such as a head', () => {
    const ring = new BlockRing();
    const { room } = ring;
    ring.filled(1000);
    expect(ring.room.length).toBe(room.length);
    expect(giveBack(Buffer.from('of no ring'))).toBe(false);
  });

  it('gets back what has been written to a file', async () => {
    const path = join(tempDir(), 'f');
    const fd = openSync(path, 'w');
    const sink = new FileSink(fd);
    const ring = new BlockRing();
    const memory = new Set<ArrayBufferLike>();
    for (let i = 0; i < 40; i += 1) {
      const { room } = ring;
      memory.add(room.buffer);
      room.fill(i);
      const piece = ring.piece(0, room.length);
      ring.filled(room.length);
      await new Promise<void>((resolve) => {
        sink.write(piece, () => resolve());
      });
    }
    closeSync(fd);
    expect(memory.size).toBeLessThanOrEqual(2);
    const written = readFileSync(path);
    const size = written.length / 40;
    expect([0, 39].map((i) => written[i * size])).toEqual([0, 39]);
  });
});
