/**
 * Many askers, few questions: those who ask while a question is under way share the next one, so that each gets an
 * answer that is not older than its asking.
 */
export function sharedCall<T>(ask: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    const call = ask().finally(() => {
      if (current === call) current = undefined;
    });
    current = call;
    return call;
  };
  return () => {
    if (current === undefined) return begin();
    next ??= current
      .catch(() => undefined) // its own askers are told
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  };
}
