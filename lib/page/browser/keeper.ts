/** What keeps texts under their names, as Web Storage does. */
export interface Keeper {
  getItem(name: string): string | null;
  setItem(name: string, text: string): void;
  removeItem(name: string): void;
}

/** A storage of the browser; where that is blocked, one that is kept as long as the document is open. */
export function keeperOf(storage: () => Keeper): Keeper {
  try {
    const found = storage();
    found.getItem('pman');
    return found;
  } catch {
    const texts = new Map<string, string>();
    return {
      getItem: (name) => texts.get(name) ?? null,
      setItem: (name, text) => void texts.set(name, text),
      removeItem: (name) => void texts.delete(name),
    };
  }
}
