/**
 * Makes a look that is good for some time: who asks again meanwhile is given the same, however many they are.
 * @param look never rejects: a failure would be as good
 */
export function goodFor<T>(ms: number, look: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly found: Promise<T> } | undefined;
  return () => {
    const at = performance.now();
    if (last === undefined || at - last.at > ms) last = { at, found: look() };
    return last.found;
  };
}
