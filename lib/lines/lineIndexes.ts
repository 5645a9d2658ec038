import type { PartOutputs } from '../jobs/outputPieces.ts';
import { LineIndex } from './lineIndex.ts';
import type { LinesRead, ReadOrder } from './lineOrders.ts';

/** How much memory the indexes may take together, in bytes. */
const MOST_BYTES = 32 * 1024 * 1024;
/** What one answer tells of lines, in bytes; one line may be longer. */
const ANSWER_BYTES = 256 * 1024;

/** The indexes of the outputs that were read last. */
export class LineIndexes {
  readonly #mostBytes: number;
  /** The one that was used last is at the end. */
  readonly #kept = new Map<string, { readonly shape: string; readonly index: LineIndex }>();

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** How many are kept. */
  get size(): number {
    return this.#kept.size;
  }

  read({ key, parts, from, count, lineBytes, sliceMs }: ReadOrder): LinesRead {
    const index = this.#indexOf(key, parts);
    index.open(parts);
    try {
      const until = performance.now() + sliceMs;
      const isWhole = index.advance(parts, Date.now(), () => performance.now() > until);
      const { total, bytes } = index;
      const first = from < 1 ? Math.max(1, total + 1 + from) : from;
      const limits = { count, lineBytes, allBytes: Math.max(ANSWER_BYTES, lineBytes) };
      const lines = index.read(first, limits);
      return { lines, open: index.openLines(lineBytes), total, bytes, isWhole };
    } finally {
      index.close();
      this.#forget();
    }
  }

  #indexOf(key: string, parts: readonly PartOutputs[]): LineIndex {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    const shape = shapeOf(parts);
    // More parts may come; what was read from a file may only be in the record now.
    const index = kept !== undefined && shape.startsWith(kept.shape) ? kept.index : new LineIndex();
    this.#kept.set(key, { shape, index });
    return index;
  }

  #forget(): void {
    let weight = [...this.#kept.values()].reduce((sum, { index }) => sum + index.weight, 0);
    for (const [key, { index }] of this.#kept) {
      // The one in use stays.
      if (weight <= this.#mostBytes || this.#kept.size === 1) return;
      this.#kept.delete(key);
      weight -= index.weight;
    }
  }
}

/** Where the outputs are; of texts how long they are, since these do not grow but are replaced. */
function shapeOf(parts: readonly PartOutputs[]): string {
  const of = (place: PartOutputs['stdout']) => ('file' in place ? 'f' : `t${place.text.length}`);
  return parts.map(({ stdout, stderr }) => `${of(stdout)} ${of(stderr)};`).join('');
}
