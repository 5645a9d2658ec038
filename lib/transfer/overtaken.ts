/** What pfioh says to a transfer that another one of the same content has overtaken; purl reads it. */
export const BEGAN_ANEW = 'the same transfer began anew';
export const cannotGoOn = (offset: number, there: number) =>
  `cannot go on at byte ${offset}: only ${there} are there`;

/** Whether a refusal says that a transfer of the same content was quicker: what is there now is to be looked at again. */
export function isOvertaken(words: string): boolean {
  return words.includes(BEGAN_ANEW) || /cannot go on at byte \d+: only \d+ are there/.test(words);
}
