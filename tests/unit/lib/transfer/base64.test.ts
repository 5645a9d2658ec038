import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { base64Decoder, base64Encoder } from '../../../../lib/transfer/base64.ts';

const chunks = fc.array(fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)));

/** The same bytes, cut at other places. */
function recut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

describe('base64 streams', () => {
  it('encode as Buffer does and decode it again, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 20 }), async (parts, size) => {
        const whole = Buffer.concat(parts);
        const encoded = await buffer(Readable.from(parts).pipe(base64Encoder()));
        expect(encoded.toString()).toBe(whole.toString('base64'));
        expect(await buffer(Readable.from(recut(encoded, size)).pipe(base64Decoder()))).toEqual(
          whole,
        );
      }),
    );
  });

  it('decode up to the report that a Python pfioh writes behind the data', async () => {
    const text = `${Buffer.from('content').toString('base64')}{"status": true}`;
    expect(String(await buffer(Readable.from([Buffer.from(text)]).pipe(base64Decoder())))).toBe(
      'content',
    );
    const unpadded = 'Zm9v{"a": 1}';
    expect(
      String(await buffer(Readable.from(recut(Buffer.from(unpadded), 3)).pipe(base64Decoder()))),
    ).toBe('foo');
  });

  it('decode what is broken into lines, and pad with what decoders skip', async () => {
    expect(
      String(await buffer(Readable.from([Buffer.from('Zm\r\n9v\nYm Fy')]).pipe(base64Decoder()))),
    ).toBe('foobar');
    const padded = await buffer(Readable.from([Buffer.from('ab')]).pipe(base64Encoder(20)));
    expect(padded).toHaveLength(20);
    expect(String(await buffer(Readable.from([padded]).pipe(base64Decoder())))).toBe('ab');
  });

  it.each(['Zm9v!mFy', 'Zm9vYmE', 'Zm9vY', 'Zm9vY=', 'Z', '!!!Zm9v'])('refuse %s', async (text) => {
    for (const size of [1, 3, 100]) {
      const decoded = Readable.from(recut(Buffer.from(text), size)).pipe(base64Decoder());
      await expect(buffer(decoded)).rejects.toThrow('not base64');
    }
  });
});
