/** Where a stream goes, as execa takes it: any open file hands itself down, but execa's types know the numbers up to 9 only. */
export function streamFor<Word extends 'ignore' | 'inherit' = never>(target: number | Word) {
  return target as 3 | Word;
}
