import { ownKey } from './ownKey.ts';

/**
 * A job and its input as the two parts of a form (RFC 7578).
 * @returns its bytes, and the header that says where its parts begin
 */
export function jobForm(job: object, input: Uint8Array) {
  const boundary = ownKey();
  const part = (name: string, rest = '') =>
    `\r\n--${boundary}\r\nContent-Disposition: form-data; name="${name}"${rest}\r\n\r\n`;
  const encoder = new TextEncoder();
  const pieces = [
    encoder.encode(`${part('job')}${JSON.stringify(job)}${part('stdin', '; filename="stdin"')}`),
    input,
    encoder.encode(`\r\n--${boundary}--\r\n`),
  ];
  const body = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return { type: { 'Content-Type': `multipart/form-data; boundary=${boundary}` }, body };
}
