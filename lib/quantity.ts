/** What the suffix of an amount of memory stands for, as Kubernetes writes them: powers of 1024 with an i, of 1000 without. */
export const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

const MEBI = 1024 * 1024;

/**
 * The memory that a text means, in bytes: `200Mi`, `1G`. A plain number is MiB as in the original's clients, or bytes when it
 * is a million and more. Undefined for another text.
 */
export function memoryBytesOf(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([kKMGT]i?)?$/.exec(text) ?? [];
  const factor = unit === '' ? (Number(number) < 1e6 ? MEBI : 1) : UNITS[unit];
  return number === '' || factor === undefined ? undefined : Math.round(Number(number) * factor);
}

/** A plain number from here on means thousandths of a processor: nobody means a hundred processors. */
const FROM_HERE_MILLI = 100;

/** How many processors a text means: `500m` and `500` are half a one, `2` is two. Undefined for another text. */
export function processorsOf(text: string): number | undefined {
  const [, number = '', unit] = /^(\d+(?:\.\d+)?)(m?)$/.exec(text) ?? [];
  if (number === '') return undefined;
  const isMilli = unit === 'm' || Number(number) >= FROM_HERE_MILLI;
  return isMilli ? Number(number) / 1000 : Number(number);
}
