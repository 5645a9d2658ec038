import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Chunk, Chunker, chunkBits, isChunkBits } from '../../../../lib/transfer/chunker.ts';
import { sameNoise } from '../../../helpers/packs.ts';

const BITS = 16;
const content = sameNoise(3_000_000);

function chunksOf(...pieces: readonly Buffer[]): readonly Chunk[] {
  const all: Chunk[] = [];
  const chunker = new Chunker(BITS, (chunk) => all.push(chunk));
  for (const piece of pieces) chunker.take(piece);
  chunker.end();
  return all;
}

describe('Chunker', () => {
  it('cuts in the same places in whatever pieces the content comes', () => {
    const whole = chunksOf(content);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: content.length }), { maxLength: 30 }), (ends) => {
        const places = [0, ...ends.sort((a, b) => a - b), content.length];
        const pieces = places.slice(1).map((end, i) => content.subarray(places[i], end));
        expect(chunksOf(...pieces)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it('tells length and sum of all that there is', () => {
    let at = 0;
    for (const [bytes, sum] of chunksOf(content)) {
      const digest = createHash('sha256')
        .update(content.subarray(at, at + bytes))
        .digest();
      expect(sum).toBe(digest.subarray(0, 16).toString('base64url'));
      expect(bytes).toBeLessThanOrEqual(4 * 2 ** BITS);
      at += bytes;
      if (at < content.length) expect(bytes).toBeGreaterThanOrEqual(2 ** BITS / 4);
    }
    expect(at).toBe(content.length);
  });

  it('finds again what stands behind bytes that were put in', () => {
    const before = new Set(chunksOf(content).map(([, sum]) => sum));
    const after = chunksOf(
      content.subarray(0, 1_000_000),
      Buffer.from('more'),
      content.subarray(1_000_000),
    );
    expect(after.filter(([, sum]) => !before.has(sum)).length).toBeLessThanOrEqual(3);
  });

  it('cuts what is the same all over', () => {
    const chunks = chunksOf(Buffer.alloc(1_000_000));
    expect(chunks.reduce((sum, [bytes]) => sum + bytes, 0)).toBe(1_000_000);
  });
});

describe('chunkBits', () => {
  it('makes a few thousand chunks of a large file', () => {
    expect([0, 8e6, 1e9, 1e12, 1e15].map(chunkBits)).toEqual([16, 16, 17, 26, 26]);
    expect([15, 16, 26, 27].map(isChunkBits)).toEqual([false, true, true, false]);
  });
});
