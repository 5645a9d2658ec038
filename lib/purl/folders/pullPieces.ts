import { PlaceRoom } from '../../transfer/placeRuns.ts';
import type { RemoteEntry, RemoteTree } from './askPfioh.ts';

/** What one request asks for: it arrives as a whole or not at all. */
export const PIECE = { bytes: 64 * 1024 * 1024, files: 2000 };
/** What has come of a pack is kept when it breaks off, and for each piece the other side looks at the whole folder. */
export const PACK_PIECE = { bytes: 256 * 1024 * 1024, files: 50_000 };

export interface Piece {
  /** Places in the list of the tree, rising. */
  places: number[];
  readonly sizes: number[];
  bytes: number;
}

/** A folder that may be asked for before what is in it: its owner may write to it. */
const WRITABLE = 0o300;

/**
 * What comes, in pieces: no other places are asked for, so that nothing else is put in place of what is here. Folders and
 * links come with the last piece or behind it, for the modes and times of folders would not stay, and may forbid to
 * write: links before folders, and a folder behind those in it. Those that stand between files are asked for with
 * these, too, when that does no harm: else each would cut a run.
 */
export function piecesOf(
  { entries }: RemoteTree,
  comes: ReadonlySet<RemoteEntry>,
  most: typeof PIECE,
): readonly Piece[] {
  const all = [...entries.entries()].filter(([, entry]) => comes.has(entry));
  const of = (wanted: RemoteEntry['kind']) => all.filter(([, { kind }]) => kind === wanted);
  const isBridge = (place: number) => {
    const entry = entries[place];
    if (entry === undefined || !comes.has(entry)) return false;
    return entry.kind === 'link' || (entry.mode & WRITABLE) === WRITABLE;
  };
  const pieces = new Pieces(most);
  let before = 0;
  for (const [place, { size }] of of('file')) {
    const between = Array.from({ length: place - before }, (_, k) => before + k);
    pieces.addFile(place, size, between.every(isBridge) ? between : []);
    before = place + 1;
  }
  const folders = of('folder').sort(([, a], [, b]) => (a.name < b.name ? 1 : -1));
  pieces.addOthers([...of('link'), ...folders].map(([place]) => place));
  return pieces.all;
}

class Pieces {
  readonly all: Piece[] = [];
  readonly #most: typeof PIECE;
  #room = new PlaceRoom();

  constructor(most: typeof PIECE) {
    this.#most = most;
  }

  /** @param before places right before it that may be asked for with it */
  addFile(place: number, size: number, before: readonly number[]): void {
    const last = this.all.at(-1);
    const isFull =
      last !== undefined &&
      (last.sizes.length >= this.#most.files || last.bytes + size > this.#most.bytes);
    if (isFull) this.#begin();
    for (const one of before) this.#add(one);
    const piece = this.#add(place);
    piece.sizes.push(size);
    piece.bytes += size;
  }

  /** With the last piece when they have room in it, else behind it, in this order. */
  addOthers(places: readonly number[]): void {
    if (places.length === 0) return;
    const last = this.all.pop();
    const together = risingOnce([...(last?.places ?? []), ...places]);
    if (hasRoom(together)) {
      this.all.push({ places: together, sizes: last?.sizes ?? [], bytes: last?.bytes ?? 0 });
      return;
    }
    if (last !== undefined) this.all.push(last);
    const files = this.all.length;
    this.#begin();
    for (const place of places) this.#add(place);
    for (const piece of this.all.slice(files)) piece.places = risingOnce(piece.places);
  }

  #begin(): Piece {
    const piece: Piece = { places: [], sizes: [], bytes: 0 };
    this.all.push(piece);
    this.#room = new PlaceRoom();
    return piece;
  }

  #add(place: number): Piece {
    let piece = this.all.at(-1) ?? this.#begin();
    if (!this.#room.add(place)) {
      piece = this.#begin();
      this.#room.add(place);
    }
    piece.places.push(place);
    return piece;
  }
}

const risingOnce = (places: readonly number[]) => [...new Set(places)].sort((a, b) => a - b);

function hasRoom(rising: readonly number[]): boolean {
  const room = new PlaceRoom();
  return rising.every((place) => room.add(place));
}
