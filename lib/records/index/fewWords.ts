/** Words of which there are few: each has a number that fits into a byte. */
export class FewWords {
  readonly #words: (string | undefined)[] = [undefined];

  /** The number of a word, which is taken in where it is new; 0 for none. */
  numberOf(word: string | undefined): number {
    const known = this.#words.indexOf(word);
    // No more words than a byte has numbers: a file that says otherwise was not written by pman.
    if (known >= 0 || this.#words.length > 255) return Math.max(known, 0);
    return this.#words.push(word) - 1;
  }

  at(number: number): string | undefined {
    return this.#words[number];
  }
}
