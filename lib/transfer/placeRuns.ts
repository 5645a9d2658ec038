/** Numbers of a list, in order, as one text of runs: `0-5,9`. */

/** A list of many runs would not fit into the head of a request. */
const MAX_TEXT = 4000;

/**
 * The text of numbers that rise. Where it would be long, numbers that lie between others are in it too, as few as can
 * be: what is asked for by them comes once more.
 */
export function placeRuns(numbers: readonly number[]): string {
  const runs = runsOf(numbers);
  for (let gap = 1; ; gap *= 2) {
    const text = joined(runs, gap)
      .map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
      .join(',');
    if (text.length <= MAX_TEXT) return text;
  }
}

type Run = readonly [from: number, to: number];

function runsOf(numbers: readonly number[]): readonly Run[] {
  return joined(
    numbers.map((number) => [number, number]),
    1,
  );
}

/** Runs with at most so much between them become one. */
function joined(runs: readonly Run[], gap: number): readonly Run[] {
  const all: Run[] = [];
  for (const [from, to] of runs) {
    const last = all.at(-1);
    if (last !== undefined && from - last[1] <= gap) all[all.length - 1] = [last[0], to];
    else all.push([from, to]);
  }
  return all;
}

/** Whether a number is in such a text. */
export function placesIn(text: string): (number: number) => boolean {
  const runs = text.split(',').map((run): Run => {
    const [from = '', to = from] = run.split('-');
    return [Number(from), Number(to)];
  });
  runs.sort(([a], [b]) => a - b);
  return (number) => {
    let low = 0;
    let high = runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((runs[middle]?.[1] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    const run = runs[low];
    return run !== undefined && run[0] <= number;
  };
}
