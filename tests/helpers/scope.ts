/**
 * What a test file opened. Opened inside a test it belongs to that test, opened elsewhere (beforeAll,
 * top level) to the file; leftovers.ts looks at the end of each. Outside jest it belongs to the process.
 */
export interface Opened {
  /** What is still running of it, in words for the failure; undefined when nothing is. */
  readonly left: () => string | undefined;
  /** Ends and removes everything of it at once, whatever its state. */
  readonly dispose: () => void;
}

export type Scope = 'test' | 'file';

const opened = new Map<Opened, Scope>();
let current: Scope = 'file';

export function enterScope(scope: Scope): void {
  current = scope;
}

export function register(thing: Opened, scope: Scope = current): void {
  opened.set(thing, scope);
}

/** Takes what belongs to that scope off the list; the end of a file takes what its tests left, too. */
export function takeOpened(scope: Scope): Opened[] {
  const taken = [...opened].filter(([, of]) => scope === 'file' || of === scope).map(([it]) => it);
  for (const thing of taken) opened.delete(thing);
  return taken;
}

process.once('exit', () => {
  for (const thing of opened.keys()) thing.dispose();
});
