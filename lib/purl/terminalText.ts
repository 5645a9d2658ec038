import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/**
 * What a terminal obeys in place of showing it: control characters of ASCII and of the row behind it, a carriage
 * return that no line end follows, and those that turn the direction of what is written.
 */
const OBEYED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\r(?!\n)/g;

/** A text of somebody else as a terminal shows it: what the terminal would obey is written as JSON writes it. */
export function terminalText(text: string): string {
  return text.replace(
    OBEYED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

type Output = Writable & { readonly isTTY?: boolean };

/** Where to write what a server has sent: on a terminal nothing of it is obeyed, elsewhere it stays as it is. */
export function safeOutput(out: Output): Writable {
  if (out.isTTY !== true) return out;
  const decoder = new StringDecoder('utf8');
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      out.write(terminalText(decoder.write(chunk)), done);
    },
  });
}
