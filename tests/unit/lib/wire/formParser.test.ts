import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { boundaryOf, FormParser } from '../../../../lib/wire/formParser.ts';

const BOUNDARY = '----x1';

interface Seen {
  readonly fields: Record<string, string>;
  readonly files: Buffer[];
}

/** Takes a form apart that comes in pieces of the given sizes. */
async function parse(form: Buffer, sizes: readonly number[] = []): Promise<Seen> {
  const fields: Record<string, string> = {};
  const files: Promise<Buffer>[] = [];
  const parser = new FormParser(BOUNDARY, {
    isFile: (name) => name === 'local',
    onField: (name, value) => {
      fields[name] = value;
    },
    onFile: (_name, content) => {
      const read = buffer(content);
      read.catch(() => {}); // The form's own failure says it.
      files.push(read);
    },
  });
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < form.length; i += 1) {
    const size = sizes.length === 0 ? form.length : (sizes[i % sizes.length] ?? 1);
    pieces.push(form.subarray(at, at + size));
    at += size;
  }
  await pipeline(Readable.from(pieces, { objectMode: false, highWaterMark: 1 }), parser);
  return { fields, files: await Promise.all(files) };
}

const part = (name: string, content: string | Buffer, more = '') =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
const END = Buffer.from(`--${BOUNDARY}--\r\n`);

describe('FormParser', () => {
  it('gives back what was put in, however it is cut', async () => {
    // Content full of what looks like a boundary.
    const tricky = fc
      .array(
        fc.constantFrom(
          '\r',
          '\n',
          '-',
          '--',
          BOUNDARY.slice(0, 4),
          'x',
          `\r\n--${BOUNDARY.slice(0, 5)}`,
        ),
      )
      .map((texts) => texts.join(''))
      .filter((text) => !`\r\n${text}`.includes(`\r\n--${BOUNDARY}`));
    await fc.assert(
      fc.asyncProperty(
        tricky,
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        async (field, bytes, sizes) => {
          const content = Buffer.concat([Buffer.from(field), bytes]);
          // Both together may be a boundary, which no content has.
          fc.pre(!content.includes(`\r\n--${BOUNDARY}`));
          const form = Buffer.concat([
            part('d_msg', field),
            part('local', content, '; filename="a"'),
            part('after', 'ä'),
            END,
          ]);
          const seen = await parse(form, sizes);
          expect(seen.fields).toEqual({ d_msg: field, after: 'ä' });
          expect(seen.files).toEqual([content]);
        },
      ),
    );
  });

  it('passes on more than fits into its buffers at once', async () => {
    const content = Buffer.alloc(5_000_000, 'abc\r\n--');
    const { files } = await parse(Buffer.concat([part('local', content), END]), [65_536]);
    expect(files[0]?.equals(content)).toBe(true);
  });

  it.each(['7bit', '8BIT', 'binary ', ''])('takes a part as it is that says %j', async (coding) => {
    const local = part('local', 'QUJD', `\r\nContent-Transfer-Encoding: ${coding}`);
    const { files } = await parse(Buffer.concat([local, END]));
    expect(String(files[0])).toBe('QUJD');
  });

  it('takes a preamble, an epilogue, an empty form and names without quotes', async () => {
    const odd = Buffer.from(
      `hello\r\n--${BOUNDARY}  \r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n--${BOUNDARY}--bye`,
    );
    expect((await parse(odd)).fields).toEqual({ a: '1' });
    expect((await parse(END)).fields).toEqual({});
  });

  it.each([
    [
      'ends in the middle of a part',
      part('a', 'x').subarray(0, -3),
      /ends before its last boundary/,
    ],
    [
      'ends in a head',
      Buffer.from(`--${BOUNDARY}\r\nContent-Dis`),
      /ends before its last boundary/,
    ],
    ['is empty', Buffer.alloc(1, 'x'), /ends before its last boundary/],
    [
      'has a boundary that goes on',
      Buffer.from(`--${BOUNDARY}2\r\n\r\n\r\n`),
      /boundary in its content/,
    ],
    [
      'has a head without end',
      Buffer.concat([Buffer.from(`--${BOUNDARY}\r\n`), Buffer.alloc(20_000, 'h')]),
      /end of its head/,
    ],
    [
      'has a part in base64',
      part('local', 'QUJD', '\r\nContent-Transfer-Encoding: base64'),
      /part "local" is taken as it is, and not as "base64"/,
    ],
    [
      'has a part in quoted-printable, said in two lines',
      part('a', '=41', '\r\ncontent-transfer-encoding:\r\n Quoted-Printable'),
      /not as "Quoted-Printable"/,
    ],
    [
      'has a part of several',
      part('local', '--i\r\n\r\nx\r\n--i--', '\r\nContent-Type: multipart/mixed; boundary=i'),
      /part "local" has parts itself/,
    ],
    ['has a field of 5 MB', part('a', Buffer.alloc(5_000_000)), /too long/],
    [
      'has fields of 5 MB together',
      Buffer.concat(Array.from({ length: 5 }, () => part('a', Buffer.alloc(1_000_000)))),
      /too long/,
    ],
    [
      'has a thousand parts',
      Buffer.concat(Array.from({ length: 1000 }, () => part('a', ''))),
      /too many parts/,
    ],
  ])('refuses a form that %s', async (_, form, reason) => {
    await expect(parse(form)).rejects.toThrow(reason);
  });
});

describe('boundaryOf', () => {
  it.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['multipart/form-data; charset=x; Boundary="a b"', 'a b'],
  ])('finds the boundary of %s', (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary);
  });

  it.each([
    'multipart/form-data',
    'multipart/form-data; boundary=',
    `a; boundary=${'b'.repeat(71)}`,
  ])('refuses %s', (type) => {
    expect(() => boundaryOf(type)).toThrow('names no boundary');
  });
});
