/**
 * Makes what tells whether a name fits a pattern, in which `*` stands for any characters and `?` for one, with capital and
 * small letters as one. A look takes no longer than the two lengths multiplied, whatever the pattern is.
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const wanted = [...pattern.toLowerCase()];
  return (name) => fits(wanted, [...name.toLowerCase()]);
}

/** It goes back to the last star alone: what stood before that has been found in the first place where it can be. */
function fits(pattern: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let behindStar = 0;
  for (let i = 0; i < name.length; ) {
    if (pattern[at] === '*') {
      star = at;
      behindStar = i;
      at += 1;
    } else if (pattern[at] === '?' || pattern[at] === name[i]) {
      at += 1;
      i += 1;
    } else if (star >= 0) {
      behindStar += 1;
      i = behindStar;
      at = star + 1;
    } else {
      return false;
    }
  }
  return pattern.slice(at).every((rest) => rest === '*');
}
