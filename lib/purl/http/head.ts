/** Where the head at the start of an answer ends: behind the empty line; undefined when that has not come. */
export function headEnd(bytes: Buffer): number | undefined {
  const ends = ['\r\n\r\n', '\n\n'].flatMap((end) => {
    const at = bytes.indexOf(end, 0, 'latin1');
    return at < 0 ? [] : [at + end.length];
  });
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/**
 * A head that HTTP parsers take, from one that curl takes: a status line that comes again (a Python pfioh of 2.2 does
 * that with 401), and a `Content-Length` that is said twice and the same, are left out the second time. Anything else
 * stays as it is.
 */
export function mendedHead(head: Buffer): Buffer {
  const [first = '', ...lines] = head.toString('latin1').split('\n');
  const lengths = new Set<string>();
  const kept = lines.filter((line) => {
    if (/^HTTP\/\d/.test(line)) return false;
    const length = lengthOf(line);
    if (length === undefined) return true;
    const isNew = !lengths.has(length);
    lengths.add(length);
    return isNew;
  });
  const mended = kept.map((line) => {
    const length = lengthOf(line);
    return length === undefined ? line : `Content-Length: ${length}\r`;
  });
  return Buffer.from([first, ...mended].join('\n'), 'latin1');
}

/** What a header line says the length is, `5` for `5, 5` too; undefined for any other line. */
function lengthOf(line: string): string | undefined {
  const said = /^content-length[ \t]*:([\d, \t]+)\r?$/i.exec(line)?.[1];
  const [length, ...others] = new Set(said?.split(',').map((one) => one.trim()));
  return others.length === 0 && length !== '' ? length : undefined;
}
