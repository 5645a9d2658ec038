import type { RequestHead } from '../gateway/types.ts';

/**
 * What is worked out of the header lines of a request, and of nothing else in it. Where the gateway knows the lines it is done once
 * for all requests with the same ones.
 */
export function byLines<T extends object | string>(
  work: (head: RequestHead) => T,
): (head: RequestHead) => T {
  const done = new WeakMap<object, T>();
  return (head) => {
    const { lines } = head;
    if (lines === undefined) return work(head);
    const before = done.get(lines);
    if (before !== undefined) return before;
    const made = work(head);
    done.set(lines, made);
    return made;
  };
}
