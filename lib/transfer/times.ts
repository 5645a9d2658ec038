/**
 * A time as Node's `utimes` takes it, right to the microsecond: libuv cuts the rest off towards zero, so half a
 * microsecond makes up for what a floating-point number lacks. It is a text because Node takes a number below 0,
 * which is a time before 1970, for now.
 */
export function utimesSeconds(timeNs: bigint): string {
  const micros = floorDivided(timeNs, 1000n);
  return (Number(micros) / 1e6 + (micros < 0n ? -5e-7 : 5e-7)).toFixed(7);
}

/** Whole units of a time, earlier ones before 1970 too. `/` cuts off towards zero. */
export function floorDivided(value: bigint, by: bigint): bigint {
  return value / by - (value % by < 0n ? 1n : 0n);
}
