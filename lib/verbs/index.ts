import type { Verb } from './verb.ts';

/** Every verb, loaded when it is asked for. Without a verb, pman serves. */
const VERBS: ReadonlyMap<string, () => Promise<Verb>> = new Map([
  ['token', async () => (await import('./token.ts')).token],
]);

/** The verb that a command line begins with; undefined when it begins with none. */
export async function verbOf([word = '']: readonly string[]): Promise<Verb | undefined> {
  return VERBS.get(word)?.();
}
