/**
 * The text in an answer of the engine's logs call. A container without a terminal sends frames of 8 bytes head
 * (stream, 0, 0, 0, length) and that much text: stdout and stderr, in the order of writing. With a terminal it is the text itself.
 */
export function logText(bytes: Buffer, tty: boolean): string {
  if (tty) return bytes.toString('utf8');
  const parts: Buffer[] = [];
  for (let at = 0; at + headBytes <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    parts.push(bytes.subarray(at + headBytes, at + headBytes + length));
    at += headBytes + length;
  }
  return Buffer.concat(parts).toString('utf8');
}

const headBytes = 8;
