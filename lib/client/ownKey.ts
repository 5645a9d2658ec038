/** 128 random bits. `crypto.randomUUID` is not there for pages without TLS. */
export function ownKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
