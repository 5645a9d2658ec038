/**
 * Whether a text fits a pattern, in which `*` stands for any characters and `?` for one. It goes back to the last star alone: what
 * stood before that has been found in the first place where it can be. So it takes no longer than the two lengths multiplied,
 * whatever the pattern is.
 */
export function fitsWildcards(text: string, pattern: string): boolean {
  const has = characters(text);
  const wanted = characters(pattern);
  let at = 0;
  let of = 0;
  let star = -1;
  let behindStar = 0;
  while (at < has.length) {
    if (wanted[of] === '*') {
      star = of;
      behindStar = at;
      of += 1;
    } else if (wanted[of] === '?' || wanted[of] === has[at]) {
      of += 1;
      at += 1;
    } else if (star >= 0) {
      behindStar += 1;
      at = behindStar;
      of = star + 1;
    } else return false;
  }
  while (wanted[of] === '*') of += 1;
  return of === wanted.length;
}

/** Some characters are two of JavaScript's. */
function characters(text: string): ArrayLike<string> {
  return /[\ud800-\udfff]/.test(text) ? [...text] : text;
}
