/** A number of bytes for people: `512 B`, `1.2 MB`. */
export function bytesText(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 'B'];
  for (const next of units) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return unit === 'B'
    ? `${bytes} B`
    : `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
