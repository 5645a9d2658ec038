import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RemoteEntry } from '../../../../../lib/purl/folders/askPfioh.ts';
import { PIECE, piecesOf } from '../../../../../lib/purl/folders/pullPieces.ts';
import { placeRuns, placesIn } from '../../../../../lib/transfer/placeRuns.ts';

const entry = (name: string, kind: RemoteEntry['kind']): RemoteEntry => ({
  ...{ name, kind, size: kind === 'file' ? 7 : 0, mode: kind === 'folder' ? 0o755 : 0o644 },
});

/** 900 folders, each with a file, a link and a folder in it. */
const entries = Array.from({ length: 900 }, (_, i) => `d${i}`)
  .sort()
  .flatMap((name) => [
    ...[entry(name, 'folder'), entry(`${name}/deep`, 'folder')],
    ...[entry(`${name}/file`, 'file'), entry(`${name}/link`, 'link')],
  ]);
const tree = { kind: 'folder', tag: 't', shape: 's', entries, leftOut: new Map() } as const;

it('a pull asks for what is to come and nothing else, however scattered it is', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 3600, maxLength: 3600 }), (chosen) => {
      const comes = entries.filter((_, place) => chosen[place]);
      const pieces = piecesOf(tree, new Set(comes), PIECE);
      const texts = pieces.map(({ places }) => placeRuns(places));
      for (const text of texts) expect(text.length).toBeLessThanOrEqual(4000);
      const asked = texts.flatMap((text) => {
        const has = placesIn(text);
        return entries.filter((_, place) => has(place));
      });
      expect(new Set(asked)).toEqual(new Set(comes));
      const files = asked.filter(({ kind }) => kind === 'file');
      expect(files).toHaveLength(new Set(files).size);
      expect(pieces.flatMap(({ sizes }) => sizes)).toHaveLength(
        comes.filter(({ kind }) => kind === 'file').length,
      );
    }),
    { numRuns: 20 },
  );
});

it('a pull of all there is asks for it in one piece', () => {
  const pieces = piecesOf(tree, new Set(entries), { bytes: 1e9, files: 1e9 });
  expect(pieces.map(({ places }) => placeRuns(places))).toEqual(['0-3599']);
});

it('a pull for which no file is lacking asks for its folders and links in one piece', () => {
  const flat = entries.filter(({ kind }) => kind !== 'file');
  const pieces = piecesOf({ ...tree, entries: flat }, new Set(flat), PIECE);
  expect(pieces.map(({ places }) => placeRuns(places))).toEqual(['0-2699']);
});

it('a pull asks for folders behind what is in them: their modes may forbid to write', () => {
  const pieces = piecesOf(tree, new Set(entries), { bytes: 1e9, files: 100 });
  const at = new Map<string, number>();
  for (const [k, { places }] of pieces.entries()) {
    for (const place of places) at.set(entries[place]?.name ?? '', k);
  }
  expect(at.size).toBe(entries.length);
  for (const [name, k] of at) {
    const above = at.get(name.replace(/\/[^/]*$/, '')) ?? Number.NaN;
    expect(k).toBeLessThanOrEqual(above);
  }
});
