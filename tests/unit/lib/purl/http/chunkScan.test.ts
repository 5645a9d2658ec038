import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ChunkScan } from '../../../../../lib/purl/http/chunkScan.ts';

/** Reads a body in pieces; `parser` is what is left to the HTTP parser. */
function scanned(pieces: readonly Buffer[]) {
  const scan = new ChunkScan();
  const content: Buffer[] = [];
  let parser: string | undefined;
  for (const piece of pieces) {
    if (parser !== undefined) {
      parser += piece.toString('latin1');
      continue;
    }
    for (const found of scan.scan(piece)) {
      if (found.kind === 'content') content.push(piece.subarray(found.from, found.to));
      else parser = found.instead + piece.toString('latin1', found.at);
    }
  }
  return { content: Buffer.concat(content), parser };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.subarray(at[i - 1] ?? 0, end));
}

describe('ChunkScan', () => {
  it('finds the content of chunks however they come, and leaves the trailers to the parser', () => {
    const chunk = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(chunk), fc.array(fc.nat()), (chunks, places) => {
        const body = Buffer.concat([
          ...chunks.flatMap(([bytes, isLong]) => {
            const size = bytes.length.toString(16);
            const head = isLong ? `00${size.toUpperCase()} ;a="b"\r\n` : `${size}\r\n`;
            return [Buffer.from(head), Buffer.from(bytes), Buffer.from('\r\n')];
          }),
          Buffer.from('0\r\nPfioh-Poly1305: 12\r\n\r\n'),
        ]);
        expect(scanned(cut(body, places))).toEqual({
          content: Buffer.concat(chunks.map(([bytes]) => bytes)),
          parser: '0\r\nPfioh-Poly1305: 12\r\n\r\n',
        });
      }),
    );
  });

  it('waits for the rest of a body that is not whole', () => {
    expect(scanned([Buffer.from('5\r\nabc')])).toMatchObject({ parser: undefined });
    expect(scanned([Buffer.from('5\r\nabcde\r')])).toMatchObject({ parser: undefined });
  });

  it.each([
    'x\r\nabc',
    '-3\r\nabc\r\n0\r\n\r\n',
    '3\nabc\r\n0\r\n\r\n',
    '3\r\nabcd\r\n0\r\n\r\n',
    '3\r\nabc0\r\n\r\n0\r\n\r\n',
    '3\r\nabc\n\n2\r\n',
    '1234567890123\r\na',
    `3;${'x'.repeat(300)}\r\nabc\r\n`,
    '0x3\r\nabc\r\n',
  ])('has the parser refuse what is no chunk: %j', (body) => {
    const { parser } = scanned([Buffer.from(body)]);
    expect(parser).toMatch(/^no chunk\r\n/);
  });
});
