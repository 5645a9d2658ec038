import { Transform } from 'node:stream';
import { BadRequestError } from '../errors.ts';

/** Encodes a stream as base64 in one line. `minimum` pads with line ends, which decoders skip. */
export function base64Encoder(minimum = 0): Transform {
  let held: Buffer = Buffer.alloc(0);
  let written = 0;
  const encode = (bytes: Buffer) => {
    const text = bytes.toString('base64');
    written += text.length;
    return Buffer.from(text, 'latin1');
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const whole = bytes.length - (bytes.length % 3);
      held = bytes.subarray(whole);
      done(null, whole === 0 ? undefined : encode(bytes.subarray(0, whole)));
    },
    flush(done) {
      if (held.length > 0) this.push(encode(held));
      if (written < minimum) this.push('\n'.repeat(minimum - written));
      done();
    },
  });
}

const BLANKS = [0x0a, 0x0d, 0x20, 0x09];
const PADDING = 0x3d;
// Padding ends the data, and so does the JSON that may follow it.
const ENDS = [PADDING, 0x7b];

/**
 * Decodes a base64 stream; line breaks are skipped. Ends at the padding or at a `{`: a Python pfioh
 * writes a JSON report behind the data. The stream fails with a BadRequestError where other characters
 * stand or a group of four is not whole: leaving them out would give other bytes than were sent.
 */
export function base64Decoder(): Transform {
  let held = '';
  let ended = false;
  let padded = false;
  const decoder = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (ended) return done();
      const stops = ENDS.map((end) => chunk.indexOf(end)).filter((at) => at >= 0);
      ended = stops.length > 0;
      const stop = ended ? Math.min(...stops) : chunk.length;
      padded = chunk[stop] === PADDING;
      const data = chunk.subarray(0, stop);
      // Looking for single bytes is far cheaper than a pattern.
      const hasBlanks = BLANKS.some((blank) => data.includes(blank));
      const text =
        held + (hasBlanks ? data.toString('latin1').replace(/\s+/g, '') : data.toString('latin1'));
      const whole = text.length - (text.length % 4);
      held = text.slice(whole);
      decode(text.slice(0, whole), done);
    },
    flush(done) {
      if (held.length === 1 || (held !== '' && !padded)) done(notBase64('it broke off'));
      else decode(held, done);
    },
  });
  // It may fail before somebody reads it: whoever reads it then is told.
  decoder.on('error', () => {});
  return decoder;
}

type Done = (error?: Error | null, data?: Buffer) => void;

function decode(text: string, done: Done): void {
  const bytes = Buffer.from(text, 'base64');
  // Buffer passes over what is no base64.
  if (bytes.length === Math.floor((text.length * 3) / 4)) done(null, bytes);
  else done(notBase64('it has other characters'));
}

function notBase64(why: string): BadRequestError {
  return new BadRequestError(`what arrived is not base64: ${why}`);
}
