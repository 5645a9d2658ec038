/** The value of a JSON text, or undefined when the text is none: what a crash has cut, or somebody else has written. */
export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // Not `instanceof`: under jest errors of the language are of another realm.
    if ((error as Error).name === 'SyntaxError') return undefined;
    throw error;
  }
}
