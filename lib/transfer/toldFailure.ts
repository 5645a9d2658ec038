/** By this header of a request a client says that it reads the trailer that tells why an answer is not whole. */
export const FAILURES_HEADER = 'Pfioh-Failures';
export const TOLD = 'told';

/** The trailer of an answer that is not whole, in place of that of its check: why, as base64url. */
const FAILED_TRAILER = 'Pfioh-Failed';
const MOST_CHARACTERS = 1000;

/** The trailer that tells why what was sent is not whole. */
export function failedTrailer(why: string): Readonly<Record<string, string>> {
  const text = why.slice(0, MOST_CHARACTERS);
  return { [FAILED_TRAILER]: Buffer.from(text).toString('base64url') };
}

/** Why what has come is not whole, by its trailers; undefined when they do not say so. */
export function toldFailure(
  trailers: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const told = trailers[FAILED_TRAILER.toLowerCase()];
  return told === undefined ? undefined : Buffer.from(told, 'base64url').toString('utf8');
}
