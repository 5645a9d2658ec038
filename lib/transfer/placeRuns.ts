/** Numbers of a list, in order, as one text of runs: `0-5,9`. */

/** A list of many runs would not fit into the head of a request. */
const MAX_TEXT = 4000;

type Run = readonly [from: number, to: number];

/** The text of numbers that rise. */
export function placeRuns(numbers: readonly number[]): string {
  const runs: Run[] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && number === last[1] + 1) runs[runs.length - 1] = [last[0], number];
    else runs.push([number, number]);
  }
  return runs.map(runText).join(',');
}

const runText = ([from, to]: Run) => (from === to ? `${from}` : `${from}-${to}`);

/** Tells how many numbers fit into the text of one request: they come rising or falling, or nearly so. */
export class PlaceRoom {
  /** Of the runs before the last one, commas and all. */
  #before = 0;
  #last: Run | undefined;

  /** Adds a number. False when it has no room: then nothing has changed. */
  add(number: number): boolean {
    const last = this.#last;
    const run = longer(last, number) ?? [number, number];
    const isNew = last !== undefined && run[0] === run[1];
    const before = isNew ? this.#before + runText(last).length + 1 : this.#before;
    if (before + runText(run).length > MAX_TEXT) return false;
    this.#before = before;
    this.#last = run;
    return true;
  }
}

/** The run with a number that is next to it. */
function longer(run: Run | undefined, number: number): Run | undefined {
  if (run?.[1] === number - 1) return [run[0], number];
  return run?.[0] === number + 1 ? [number, run[1]] : undefined;
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
