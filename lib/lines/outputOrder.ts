import { growthIn } from '../../crunner/detached/outputLog.ts';
import type { PartOutputs } from '../jobs/outputPieces.ts';
import { OutputBytes } from './outputBytes.ts';

export type StreamName = 'stdout' | 'stderr';

/** Bytes of one output that came in together. */
export interface Arrival {
  /** `2 * part` of stdout, and one more of stderr. */
  readonly source: number;
  readonly from: number;
  readonly to: number;
  /** When they were seen, in milliseconds since 1970; NaN where that is not known. */
  readonly seenAt: number;
}

/** For so long what nobody has written down the order of is held back while its part runs, in milliseconds. */
const HOLD_MS = 60;
/** Of a log so much is read at once, in bytes. */
const LOG_BYTES = 256 * 1024;

interface Growth {
  readonly source: number;
  readonly to: number;
  readonly seenAt: number;
  /** Where it belongs, beside what else is found at the same look. */
  readonly rank: number;
}

/**
 * The order in which the bytes of all outputs of a job came in. It only grows: what was once put in its place stays there.
 * The order is that of the parts' logs. What no log tells of comes behind, stdout first.
 */
export class OutputOrder {
  readonly #arrivals: Arrival[] = [];
  readonly #parts: PartOrder[] = [];

  get arrivals(): readonly Arrival[] {
    return this.#arrivals;
  }

  /** How many bytes of an output are in order. */
  placed(source: number): number {
    return this.#parts[source >> 1]?.placed[source & 1] ?? 0;
  }

  /** How many bytes are in order, of all outputs. */
  get bytes(): number {
    return this.#parts.reduce((sum, { placed }) => sum + placed[0] + placed[1], 0);
  }

  /** Looks what has come in; says whether there is nothing that has to be looked for again. */
  look(parts: readonly PartOutputs[], now: number): boolean {
    const found: Growth[] = [];
    let isAll = true;
    for (const [k, part] of parts.entries()) {
      this.#parts[k] ??= new PartOrder(k);
      const seen = this.#parts[k].look(part, now);
      found.push(...seen.growths);
      isAll &&= seen.isAll;
    }
    rankUnlogged(found);
    found.sort((a, b) => a.rank - b.rank);
    for (const { source, to, seenAt } of found) this.#place(source, to, seenAt);
    return isAll;
  }

  #place(source: number, to: number, seenAt: number): void {
    const placed = this.#parts[source >> 1]?.placed;
    const from = placed?.[source & 1] ?? 0;
    if (placed === undefined || to <= from) return;
    placed[source & 1] = to;
    this.#arrivals.push({ source, from, to, seenAt });
  }
}

/** What no log tells of has its place before the next part's, and else at the end; `found` is in the order of the parts. */
function rankUnlogged(found: Growth[]): void {
  let next = Number.POSITIVE_INFINITY;
  for (let i = found.length - 1; i >= 0; i -= 1) {
    const growth = found[i];
    if (growth === undefined) continue;
    if (Number.isNaN(growth.rank)) found[i] = { ...growth, rank: next };
    else next = growth.rank;
  }
}

/** How far the outputs of one part are known. */
class PartOrder {
  readonly #part: number;
  /** How many bytes of stdout and of stderr have their place. */
  readonly placed: [number, number] = [0, 0];
  #logRead = 0;
  #logRest = '';
  #unlogged: { readonly sizes: readonly [number, number]; readonly at: number } | undefined;

  constructor(part: number) {
    this.#part = part;
  }

  look(outputs: PartOutputs, now: number): { growths: readonly Growth[]; isAll: boolean } {
    // The sizes first: what a log tells of later is in the files by then.
    const sizes = [sizeOf(outputs.stdout), sizeOf(outputs.stderr)] as const;
    const growths = this.#logged(outputs.log);
    const known: [number, number] = [...this.placed];
    for (const { source, to } of growths) known[source & 1] = Math.max(known[source & 1] ?? 0, to);
    const rest = this.#settled(sizes, known, outputs.hasEnded, now);
    for (const { source, to } of rest) known[source & 1] = to;
    const isAll = outputs.hasEnded || (sizes[0] <= known[0] && sizes[1] <= known[1]);
    return { growths: [...growths, ...rest], isAll };
  }

  /** What the log has not told of, where it will not any more. */
  #settled(
    sizes: readonly [number, number],
    known: readonly [number, number],
    hasEnded: boolean,
    now: number,
  ): readonly Growth[] {
    const before = this.#unlogged;
    const isNew = before === undefined || now - before.at >= HOLD_MS;
    if (isNew) this.#unlogged = { sizes, at: now };
    const upTo = hasEnded ? sizes : isNew && before !== undefined ? before.sizes : [0, 0];
    return ([0, 1] as const).flatMap((i) => {
      const to = upTo[i] ?? 0;
      if (to <= known[i]) return [];
      const seenAt = hasEnded ? Number.NaN : now;
      return [{ source: 2 * this.#part + i, to, seenAt, rank: Number.NaN }];
    });
  }

  #logged(file: string | undefined): Growth[] {
    if (file === undefined) return [];
    const log = new OutputBytes({ file });
    const growths: Growth[] = [];
    try {
      const buffer = Buffer.allocUnsafe(LOG_BYTES);
      for (;;) {
        const read = log.read(buffer, this.#logRead, LOG_BYTES);
        if (read === 0) return growths;
        this.#logRead += read;
        const lines = (this.#logRest + buffer.toString('latin1', 0, read)).split('\n');
        this.#logRest = lines.pop() ?? '';
        for (const line of lines) {
          const growth = growthIn(line);
          if (growth === undefined) continue;
          const [seenAt, stream, to] = growth;
          const source = 2 * this.#part + (stream === 'stdout' ? 0 : 1);
          growths.push({ source, to, seenAt, rank: seenAt });
        }
      }
    } finally {
      log.close();
    }
  }
}

function sizeOf(place: PartOutputs['stdout']): number {
  const output = new OutputBytes(place);
  try {
    return output.size;
  } finally {
    output.close();
  }
}
