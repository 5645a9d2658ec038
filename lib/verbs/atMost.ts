/** Requests that are under way at once, when many jobs are named. */
const AT_ONCE = 8;

/** Does something to each, a few at once, and gives what came of it in the same order. */
export async function eachAtMost<Item, Result>(
  items: readonly Item[],
  deed: (item: Item) => Promise<Result>,
): Promise<readonly PromiseSettledResult<Result>[]> {
  const results: PromiseSettledResult<Result>[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next;
      next += 1;
      const [result] = await Promise.allSettled(items.slice(at, at + 1).map(deed));
      if (result !== undefined) results[at] = result;
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  return results;
}
