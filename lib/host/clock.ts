/** How far the two clocks of this process may be apart before somebody has set the one, in milliseconds. */
const CLOCK_STEP_MS = 50;
/** When the clock that never jumps was at 0, on the one of the day. */
let origin = performance.timeOrigin;

/**
 * Milliseconds since 1970 with the fractions that `Date.now` lacks: records show microseconds. A clock that was set, or a
 * machine that has slept, is followed.
 */
export function preciseNow(): number {
  const now = Date.now();
  const passed = performance.now();
  if (Math.abs(origin + passed - now) > CLOCK_STEP_MS) origin = now - passed;
  return origin + passed;
}
