import { createHash } from 'node:crypto';

/** The tag of an answer, by which a client asks whether it has changed (RFC 9110, 8.8.3): that of its JSON. */
export function entityTag(json: string | Buffer): string {
  return `W/"${createHash('sha1').update(json).digest('base64url')}"`;
}

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
