/**
 * A time as Node's `utimes` takes it, right to the microsecond: libuv cuts the rest off, so half a
 * microsecond makes up for what a floating-point number lacks.
 */
export function utimesSeconds(timeNs: bigint): number {
  return Number(timeNs / 1000n) / 1e6 + 5e-7;
}
