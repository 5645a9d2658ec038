import type { Random } from '../../crash/random.ts';

/** Changes bytes as an accident does: flips, cuts, repeats, inserts. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return bytes;
  const at = random.between(0, bytes.length - 1);
  const length = random.between(1, Math.min(64, bytes.length - at));
  const before = bytes.subarray(0, at);
  const piece = bytes.subarray(at, at + length);
  const after = bytes.subarray(at + length);
  return random.weighted<() => Buffer>([
    [4, () => flip(bytes, at, random)],
    [2, () => Buffer.concat([before, after])],
    [2, () => before],
    [1, () => Buffer.concat([before, piece, piece, after])],
    [1, () => Buffer.concat([before, Buffer.alloc(length, random.between(0, 255)), after])],
    [1, () => Buffer.concat([before, randomBytes(random, length), piece, after])],
  ])();
}

function flip(bytes: Buffer, at: number, random: Random): Buffer {
  const changed = Buffer.from(bytes);
  for (let i = 0; i < random.between(1, 4); i += 1) {
    const place = i === 0 ? at : random.between(0, bytes.length - 1);
    changed[place] = (changed[place] ?? 0) ^ (1 << random.between(0, 7));
  }
  return changed;
}

const randomBytes = (random: Random, length: number) =>
  Buffer.from(Array.from({ length }, () => random.between(0, 255)));
