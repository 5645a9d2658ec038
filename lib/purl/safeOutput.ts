import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { terminalText } from '../terminalText.ts';

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
