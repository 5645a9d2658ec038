/**
 * Whether a client has the answer with this tag. Compared weakly: what is inside the quotes counts (RFC 9110, 13.1.2).
 * @param header its If-None-Match
 */
export function isKnownTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const wanted = tag.replace(/^W\//, '');
  return header
    .split(',')
    .map((one) => one.trim())
    .some((one) => one === '*' || one.replace(/^W\//, '') === wanted);
}
