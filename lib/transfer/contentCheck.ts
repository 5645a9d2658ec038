import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { BadRequestError } from '../errors.ts';

/**
 * How the content of a transfer is checked at both ends. SHA-256 is what every client can compute. Poly1305 (RFC 8439)
 * with a key that is made anew for each transfer finds damage as surely, and takes an eighth of the processor time.
 */
export type Check =
  | { readonly name: 'sha256' }
  | { readonly name: 'poly1305'; readonly key: Uint8Array };

export const SHA256: Check = { name: 'sha256' };

/** Takes bytes in, and then says what stands for them, once. */
export interface Digester {
  update(bytes: Uint8Array): unknown;
  digest(encoding: 'hex'): string;
}

/** The request header by which our own purl asks for a check, and the answer's that says which one it is. */
export const CHECK_HEADER = 'Pfioh-Check';
/** By this header pfioh says which checks it knows beside SHA-256. */
export const CHECKS_HEADER = 'Pfioh-Checks';
/** The trailer of a pull with the digest, and how people call the check. */
export const CHECK_TRAILERS = { sha256: 'Pfioh-Sha256', poly1305: 'Pfioh-Poly1305' } as const;
export const CHECK_NAMES = { sha256: 'SHA-256', poly1305: 'Poly1305' } as const;

const KEY_BYTES = 32;
/** The key is used once. */
const NONCE = new Uint8Array(12);

export function startCheck(check: Check): Digester {
  return check.name === 'sha256' ? createHash('sha256') : poly1305(check.key);
}

/** The tag of ChaCha20-Poly1305 for additional data alone: nothing is encrypted. */
function poly1305(key: Uint8Array): Digester {
  const cipher = createCipheriv('chacha20-poly1305', key, NONCE, { authTagLength: 16 });
  return {
    update: (bytes) => cipher.setAAD(bytes, { plaintextLength: 0 }),
    digest(encoding) {
      cipher.final();
      return cipher.getAuthTag().toString(encoding);
    },
  };
}

let known: boolean | undefined;

/** Whether this machine has Poly1305: an OpenSSL in FIPS mode has not. */
export function knowsPoly1305(): boolean {
  if (known !== undefined) return known;
  try {
    poly1305(randomBytes(KEY_BYTES));
    known = true;
  } catch {
    known = false;
  }
  return known;
}

/** The cheapest check that both ends know, with a new key; `said`: what the other end's `Pfioh-Checks` says. */
export function agreedCheck(said: string | undefined): Check {
  const isKnown = said?.split(/[\s,]+/).includes('poly1305') && knowsPoly1305();
  return isKnown ? { name: 'poly1305', key: randomBytes(KEY_BYTES) } : SHA256;
}

/** What asks for a check: the value of `Pfioh-Check`; undefined for the one that nobody needs to ask for. */
export function checkText(check: Check): string | undefined {
  return check.name === 'sha256' ? undefined : `poly1305 ${Buffer.from(check.key).toString('hex')}`;
}

/** The check that a request asks for; SHA-256 also for one that is not known here. @throws BadRequestError for a key that is none */
export function askedCheck(text: string | undefined): Check {
  const [name, key = ''] = text?.split(' ') ?? [];
  if (name !== 'poly1305' || !knowsPoly1305()) return SHA256;
  if (!/^[0-9a-f]{64}$/.test(key)) {
    throw new BadRequestError(`${CHECK_HEADER}: poly1305 wants a key of 64 hexadecimal digits`);
  }
  return { name, key: Buffer.from(key, 'hex') };
}
