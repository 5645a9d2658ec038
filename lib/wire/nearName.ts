/** How many letters may differ in a name of a length: two of a short one are near to too many words. */
function tolerance(name: string): number {
  if (name.length < 3) return 0;
  return name.length < 6 ? 1 : 2;
}

/**
 * The known name that somebody may have meant by another one: with other capitals, or with one or two letters wrong,
 * missing, too many or swapped. Undefined when none is near.
 */
export function nearName(name: string, known: Iterable<string>): string | undefined {
  const asked = name.toLowerCase();
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const limit = tolerance(candidate);
    const wanted = candidate.toLowerCase();
    if (Math.abs(wanted.length - asked.length) > limit) continue;
    const distance = lettersBetween(asked, wanted);
    if (distance > limit || distance >= least) continue;
    nearest = candidate;
    least = distance;
  }
  return nearest;
}

/** Insertions, deletions, replacements and swaps of neighbours between two short texts (optimal string alignment). */
function lettersBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + (isSame ? 0 : 1),
        isSwap ? at(beforeLast, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], i: number): number {
  return row[i] ?? Number.POSITIVE_INFINITY;
}
