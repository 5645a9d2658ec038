import { fitsWildcards } from '../wire/wildcards.ts';

/**
 * Whether the names of a path fit a pattern: a star stands for any characters of a name, a question mark for one, and a
 * name of two stars for any folders. Takes time in proportion to both, whatever the pattern.
 */
export function fitsPattern(path: readonly string[], pattern: string): boolean {
  return reach(path, pattern.split('/')).fits;
}

/** Whether something below a folder may fit a pattern. */
export function mayHold(folder: readonly string[], pattern: string): boolean {
  return reach(folder, pattern.split('/')).goesOn;
}

/** How a path stands to a pattern: each set of places in the pattern that its names lead to is looked at once. */
function reach(path: readonly string[], pattern: readonly string[]) {
  let places = withFolders(new Set([0]), pattern);
  for (const name of path) {
    const next = new Set<number>();
    for (const place of places) {
      const wanted = pattern[place];
      if (wanted === undefined) continue;
      if (wanted === '**') {
        next.add(place);
        if (place === pattern.length - 1) next.add(pattern.length);
      } else if (fitsWildcards(name, wanted)) next.add(place + 1);
    }
    places = withFolders(next, pattern);
  }
  return {
    fits: places.has(pattern.length),
    goesOn: [...places].some((place) => place < pattern.length),
  };
}

/** Two stars also stand for no folder, but at the end of a pattern, where they stand for all that is below. */
function withFolders(places: Set<number>, pattern: readonly string[]): Set<number> {
  for (const place of places) {
    if (pattern[place] === '**' && place < pattern.length - 1) places.add(place + 1);
  }
  return places;
}
