import type { RequestHead } from '../gateway/types.ts';

/** The value of a header, of several lines all of them (RFC 9110, 5.3); its name in small letters. */
export function headerOf(
  { rawHeaders }: Pick<RequestHead, 'rawHeaders'>,
  wanted: string,
): string | undefined {
  let found: string | undefined;
  for (const [name, value] of rawHeaders) {
    if (name.length !== wanted.length || name.toLowerCase() !== wanted) continue;
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}
