import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LoggedEvent } from '../../../../lib/events/event.ts';
import { ReadBatches } from '../../../../lib/events/readBatches.ts';

const event = (seq: number): LoggedEvent => ({
  event: { seq, time: '2026-11-29T00:00:00.000Z', type: 'started', id: 'x' },
  line: String(seq),
});

describe('ReadBatches', () => {
  it('has what ends with the newest event read again: more may have come', () => {
    const batches = new ReadBatches();
    expect(batches.after(0, 2, () => [event(1), event(2)])).toHaveLength(2);
    expect(batches.after(0, 3, () => [event(1), event(2), event(3)])).toHaveLength(3);
  });

  it('has each batch read once for all readers that are behind, also when they do not begin alike', () => {
    const all = Array.from({ length: 1000 }, (_, i) => event(i + 1));
    const batches = new ReadBatches();
    let reads = 0;
    const from = (seq: number) =>
      batches.after(seq, 1000, () => {
        reads += 1;
        return all.slice(seq, seq + 100);
      });
    const places = Array.from({ length: 50 }, (_, i) => i);
    for (let round = 0; round < 9; round += 1) {
      for (const [i, seq] of places.entries()) places[i] = from(seq).at(-1)?.event.seq ?? 0;
    }
    expect(new Set(places)).toEqual(new Set([900]));
    expect(reads).toBe(9);
    expect(from(800)).toBe(from(800));
  });

  it('gives every event once and in order, whatever is missing on the disk', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 200 })),
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 400, maxLength: 400 }),
        fc.integer({ min: 1, max: 30 }),
        (seqs, turns, most) => {
          const all = seqs.sort((a, b) => a - b).map(event);
          const newest = seqs.at(-1) ?? 0;
          const batches = new ReadBatches();
          const readers = Array.from({ length: 6 }, () => ({ at: 0, seen: [] as number[] }));
          const step = (reader: { at: number; seen: number[] }) => {
            const got = batches.after(reader.at, newest, () =>
              all.filter((one) => one.event.seq > reader.at).slice(0, most),
            );
            reader.seen.push(...got.map((one) => one.event.seq));
            reader.at = got.at(-1)?.event.seq ?? reader.at;
            return got.length;
          };
          for (const turn of turns) step(readers[turn] ?? { at: 0, seen: [] });
          for (const reader of readers) while (step(reader) > 0);
          for (const { seen } of readers) expect(seen).toEqual(all.map((one) => one.event.seq));
        },
      ),
    );
  });
});
