import { createHash, randomBytes, scrypt, scryptSync, timingSafeEqual } from 'node:crypto';

/** How a token is kept: by the digest of what is sent, which is quick to compare, or by a hash that is slow to make. */
export type StoredValue =
  | { readonly kind: 'digest'; readonly digest: Buffer; readonly plain?: string }
  | {
      readonly kind: 'scrypt';
      readonly cost: number;
      readonly salt: Buffer;
      readonly hash: Buffer;
    };

const SHA256 = /^sha256:([0-9a-f]{64})$/i;
const SCRYPT = /^scrypt:(\d{1,7}):([0-9a-f]{16,128}):([0-9a-f]{64})$/i;
const SCRYPT_BYTES = 32;
const SCRYPT_COST = 16_384;
/** scrypt takes 128 * 8 * cost bytes. */
const MAX_SCRYPT_COST = 65_536;

/**
 * Reads a token as the file has it: in the clear, `sha256:<64 hexadecimal digits>`, or
 * `scrypt:<cost>:<salt>:<hash>` with both in hexadecimal.
 * @returns undefined for what begins as a hash and is none
 */
export function storedValue(text: string): StoredValue | undefined {
  const [, sha256] = SHA256.exec(text) ?? [];
  if (sha256 !== undefined) return { kind: 'digest', digest: Buffer.from(sha256, 'hex') };
  const [, costText, salt = '', hash = ''] = SCRYPT.exec(text) ?? [];
  if (costText !== undefined) {
    const cost = Number(costText);
    const isPower = cost >= 1024 && cost <= MAX_SCRYPT_COST && Number.isInteger(Math.log2(cost));
    if (!isPower) return undefined;
    return { kind: 'scrypt', cost, salt: Buffer.from(salt, 'hex'), hash: Buffer.from(hash, 'hex') };
  }
  if (/^(sha256|scrypt):/i.test(text)) return undefined;
  return { kind: 'digest', digest: digestOf(text), plain: text };
}

/** What tokens are compared by: of one length, so that the time of a comparison tells nothing. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** A token as a file keeps it that others may see. */
export function hashed(token: string, kind: 'sha256' | 'scrypt'): string {
  if (kind === 'sha256') return `sha256:${digestOf(token).toString('hex')}`;
  const salt = randomBytes(16);
  const hash = scryptSync(token, salt, SCRYPT_BYTES, optionsFor(SCRYPT_COST));
  return `scrypt:${SCRYPT_COST}:${salt.toString('hex')}:${hash.toString('hex')}`;
}

/** Whether a token is the one that is kept as a slow hash. Takes some 50 ms, in another thread. */
export function matchesScrypt(
  token: string,
  { cost, salt, hash }: Extract<StoredValue, { kind: 'scrypt' }>,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    scrypt(token, salt, SCRYPT_BYTES, optionsFor(cost), (error, made) => {
      if (error) reject(error);
      else resolve(timingSafeEqual(made, hash));
    });
  });
}

function optionsFor(cost: number) {
  return { N: cost, r: 8, p: 1, maxmem: 256 * 8 * cost };
}
