/** A time as Python's `str(datetime.now())` writes it: local, with microseconds. */
export function timestamp(at: Date = new Date()): string {
  const two = (n: number, width = 2) => String(n).padStart(width, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${day} ${time}.${two(at.getMilliseconds(), 3)}000`;
}

/** A number with a comma between thousands, as the reports show sizes. */
export function sizeText(bytes: number): string {
  return String(bytes).replace(/\B(?=(\d{3})+$)/g, ',');
}
