import type { RemoteEntry, RemoteTree } from './askPfioh.ts';

/** What one request asks for: it arrives as a whole or not at all. */
export const PIECE = { bytes: 64 * 1024 * 1024, files: 2000 };
/** What has come of a pack is kept when it breaks off, and for each piece the other side looks at the whole folder. */
export const PACK_PIECE = { bytes: 256 * 1024 * 1024, files: 50_000 };

export interface Piece {
  /** Places in the list of the tree. */
  readonly places: number[];
  readonly sizes: number[];
  bytes: number;
}

/** What comes, in pieces. Folders and links come with the last piece: their modes and times would not stay, and may forbid to write. */
export function piecesOf(
  { entries }: RemoteTree,
  comes: ReadonlySet<RemoteEntry>,
  most: typeof PIECE,
): readonly Piece[] {
  const pieces: Piece[] = [];
  const others: number[] = [];
  for (const [place, entry] of entries.entries()) {
    if (!comes.has(entry)) continue;
    if (entry.kind !== 'file') {
      others.push(place);
      continue;
    }
    let piece = pieces.at(-1);
    const isFull =
      piece !== undefined &&
      (piece.places.length >= most.files || piece.bytes + entry.size > most.bytes);
    if (piece === undefined || isFull) {
      piece = { places: [], sizes: [], bytes: 0 };
      pieces.push(piece);
    }
    piece.places.push(place);
    piece.sizes.push(entry.size);
    piece.bytes += entry.size;
  }
  if (others.length === 0) return pieces;
  const last = pieces.pop() ?? { places: [], sizes: [], bytes: 0 };
  const places = [...last.places, ...others].sort((a, b) => a - b);
  return [...pieces, { ...last, places }];
}
