import { createHmac } from 'node:crypto';

/** A key of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. */
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;

/**
 * The keys that the text of a secret holds: one, or several with spaces between while one takes the place of another.
 * @returns undefined for what is none
 */
export function keysOf(text: string): readonly Buffer[] | undefined {
  const keys = text
    .split(/\s+/)
    .filter((piece) => piece !== '')
    .map((piece) => Buffer.from(SECRET.exec(piece)?.[1] ?? '', 'base64'));
  const isGood = keys.length > 0 && keys.every(({ length }) => length >= 24 && length <= 64);
  return isGood ? keys : undefined;
}

/**
 * The header lines that let a receiver know who has sent a message: those of Standard Webhooks, with a signature for each key.
 * @param now milliseconds since 1970: receivers refuse old messages
 */
export function signedHeaders(
  id: string,
  body: string,
  keys: readonly Buffer[],
  now: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = keys.map((key) => {
    const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    return `v1,${mac}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
