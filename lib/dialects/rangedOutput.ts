import { Readable } from 'node:stream';
import { bytesOf, type OutputPiece, sizeOf } from '../jobs/outputPieces.ts';

export const OUTPUT_TYPE = 'text/plain; charset=utf-8';

export interface RangedOutput {
  readonly status: 200 | 206 | 416;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Readable;
}

/**
 * An output byte for byte, or the range of it that is asked for (RFC 9110, 14).
 * @param header the value of a request header; its name in small letters
 */
export function rangedOutput(
  pieces: readonly OutputPiece[],
  header: (name: string) => string | undefined,
  type = OUTPUT_TYPE,
): RangedOutput {
  const size = sizeOf(pieces);
  // What goes on may only be a part of what was, and it has no tag by which a client could tell (RFC 9110, 13.1.5).
  const range = header('if-range') === undefined ? rangeOf(header('range'), size) : undefined;
  if (range === 'unsatisfiable') {
    const nothing = [
      ['Content-Range', `bytes */${size}`],
      ['Content-Length', '0'],
    ] as const;
    return { status: 416, headers: nothing, body: Readable.from([]) };
  }
  const { from, to } = range ?? { from: 0, to: size };
  return {
    status: range === undefined ? 200 : 206,
    headers: [
      ['Content-Length', String(to - from)],
      ['Content-Type', type],
      ['Accept-Ranges', 'bytes'],
      ...(range ? [['Content-Range', `bytes ${from}-${to - 1}/${size}`] as const] : []),
    ],
    body: Readable.from(bytesOf(pieces, from, to), { objectMode: false }),
  };
}

/** A single range of bytes; undefined for none, and for forms that a server may ignore (several ranges, other units). */
function rangeOf(
  header: string | undefined,
  size: number,
): { readonly from: number; readonly to: number } | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const from = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const to = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  if (first !== '' && last !== '' && Number(last) < from) return undefined;
  return from < to ? { from, to } : 'unsatisfiable';
}
