const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number) => String(value).padStart(2, '0');

/** The clock of this place: `14:05:31`. */
export function clockText(epochMs: number): string {
  const time = new Date(epochMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
}

/** The same to the millisecond: `14:05:31.204`. */
export function exactClock(epochMs: number): string {
  return `${clockText(epochMs)}.${String(new Date(epochMs).getMilliseconds()).padStart(3, '0')}`;
}

/** The day of this place: `28 Nov`, with the year when that is another one than now. */
export function dayText(epochMs: number, nowMs: number): string {
  const time = new Date(epochMs);
  const year = time.getFullYear();
  const day = `${time.getDate()} ${MONTHS[time.getMonth()]}`;
  return year === new Date(nowMs).getFullYear() ? day : `${day} ${year}`;
}

/** Day and clock of this place, as lists show them: `2026-11-28 14:05:31`. */
export function localText(epochMs: number): string {
  const time = new Date(epochMs);
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day} ${clockText(epochMs)}`;
}
