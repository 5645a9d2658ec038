/**
 * What a client takes, by a header such as Accept or Accept-Encoding: names in small letters, and how much it wants each, from
 * 0 to 1 (RFC 9110, 12.4.2). What it refuses with `q=0` is not there. Of several with one name the highest counts. A star names
 * nothing.
 */
export function acceptedIn(header = ''): ReadonlyMap<string, number> {
  const accepted = new Map<string, number>();
  for (const entry of header.split(',')) {
    const [name = '', ...parameters] = entry.toLowerCase().split(';');
    const quality = qualityIn(parameters);
    const known = accepted.get(name.trim()) ?? 0;
    if (quality > known) accepted.set(name.trim(), quality);
  }
  return accepted;
}

/** What cannot be understood says nothing. */
function qualityIn(parameters: readonly string[]): number {
  for (const one of parameters) {
    const [, digits] = /^\s*q\s*=\s*([01](?:\.\d*)?)\s*$/.exec(one) ?? [];
    if (digits !== undefined) return Math.min(Number(digits), 1);
  }
  return 1;
}
