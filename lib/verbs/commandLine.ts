/** Words as one line that a shell takes apart into the same words (POSIX, 2.2.2: nothing is special between single quotes). */
export function quoted(words: readonly string[]): string {
  return words
    .map((word) =>
      /^[\w@%+=:,./-]+$/.test(word) && !/^\w+=/.test(word)
        ? word
        : `'${word.replaceAll("'", "'\\''")}'`,
    )
    .join(' ');
}
