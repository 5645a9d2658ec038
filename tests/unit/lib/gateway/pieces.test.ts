import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pieces } from '../../../../lib/gateway/pieces.ts';

const text = (chunk: string, encoding: BufferEncoding = 'latin1') => ({ chunk, encoding });
const bytes = (chunk: Buffer) => ({ chunk, encoding: 'utf8' as const });

describe('pieces', () => {
  it('joins the head and the body of a small answer', () => {
    expect(pieces([text('head\r\n'), bytes(Buffer.from('body')), text('')]).map(String)).toEqual([
      'head\r\nbody',
    ]);
  });

  it('writes text in its encoding', () => {
    expect(pieces([text('ü'), text('ü', 'utf8')])[0]).toEqual(Buffer.from([0xfc, 0xc3, 0xbc]));
  });

  it('never makes an empty message, which would close the connection', () => {
    expect(pieces([text(''), bytes(Buffer.alloc(0))])).toEqual([]);
  });

  it('keeps all bytes in order, in messages of 1 byte to 64 KiB', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 6 }), (lengths) => {
        const chunks = lengths.map((length, i) => Buffer.alloc(length, i + 1));
        const out = pieces(chunks.map(bytes));
        expect(Buffer.concat(out).equals(Buffer.concat(chunks))).toBe(true);
        expect(out.every(({ length }) => length > 0 && length <= 65_536)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
