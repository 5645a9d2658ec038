/** The header lines of a request; what is asked of them often is worked out once. */
export class HeaderLines {
  /** As node has them: a name, its value, the next name; each byte a character. */
  readonly flat: readonly string[];
  /** Whether other requests with the same lines have this very object. */
  readonly isShared: boolean;
  #pairs: readonly (readonly [string, string])[] | undefined;

  constructor(flat: readonly string[], isShared = false) {
    this.flat = flat;
    this.isShared = isShared;
  }

  /** Name and value of each, as text. */
  get pairs(): readonly (readonly [string, string])[] {
    this.#pairs ??= pairsOf(this.flat);
    return this.#pairs;
  }

  /** Of two, a proxy may have looked at the other one: then it is none, which lets nobody in. */
  get authorization(): string | undefined {
    const [value, ...more] = headerValues(this.flat, 'authorization');
    if (more.length > 0) return '';
    return value === undefined ? undefined : headerText(value);
  }
}

function pairsOf(flat: readonly string[]): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    pairs.push([flat[i] ?? '', headerText(flat[i + 1] ?? '')]);
  }
  return pairs;
}

/**
 * What a header's value says: node gives each byte as a character of its own, clients send UTF-8, and the original
 * took it as that. Bytes that are none stay as node gives them.
 */
function headerText(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value;
  const text = Buffer.from(value, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? value : text;
}

/** The values of all headers of that (lower-case) name in node's flat list. */
export function headerValues(flatHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < flatHeaders.length; i += 2) {
    const candidate = flatHeaders[i];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) {
      values.push(flatHeaders[i + 1] ?? '');
    }
  }
  return values;
}

/** The first of them. */
export function headerValue(flatHeaders: readonly string[], name: string): string | undefined {
  return headerValues(flatHeaders, name)[0];
}
