import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { StampedLog } from '../../../openshift/stampedLog.ts';

/** What is taken of a stream that comes in pieces of this size, and what the node has said. */
function read(stream: string | Buffer, size = 7) {
  const bytes = typeof stream === 'string' ? Buffer.from(stream) : stream;
  const log = new StampedLog();
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size)
    parts.push(log.take(bytes.subarray(at, at + size)));
  const { rest, words } = log.end();
  return { text: Buffer.concat([...parts, rest]).toString('latin1'), words };
}

const AT = '2026-11-29T10:56:30.942420995Z ';
const EAST = '2026-11-29T12:56:30.942420995+02:00 ';
const GONE = `unable to retrieve container logs for containerd://${'e8'.repeat(32)}`;

describe('StampedLog', () => {
  it.each([1, 3, 31, 32, 1000])('takes the times off, in pieces of %i bytes', (size) => {
    const stream = `${AT}up\n${EAST}\n${AT}${AT}twice\n${AT}no end`;
    expect(read(stream, size)).toEqual({ text: `up\n\n${AT}twice\nno end`, words: undefined });
  });

  it.each([1, 8, 1000])(
    'tells what a node says in place of the output from the output, in pieces of %i bytes',
    (size) => {
      expect(read(GONE, size)).toEqual({ text: '', words: GONE });
      expect(read(`${AT}${GONE}\n`, size)).toEqual({ text: `${GONE}\n`, words: undefined });
    },
  );

  it.each([
    'failed to create fsnotify watcher: too many open files',
    'rpc error: code = Unknown desc = server is not initialized yet',
    'failed',
  ])('tells what a node says behind a part of the output: %s', (words) => {
    expect(read(`${AT}up\n${words}`)).toEqual({ text: 'up\n', words });
  });

  it('leaves an output without times as it is', () => {
    for (const text of [
      '',
      'a',
      'up\n',
      'up\ngone on\n',
      `failed to do it\nup`,
      'x'.repeat(5000),
    ]) {
      expect(read(text)).toEqual({ text, words: undefined });
    }
  });

  it('gives back any bytes that containers write, however they are cut', () => {
    const line = fc.uint8Array({ maxLength: 60 }).map((bytes) => {
      return Buffer.from(bytes).filter((byte) => byte !== 0x0a);
    });
    const all = [fc.array(line, { maxLength: 20 }), fc.integer({ min: 1, max: 90 })] as const;
    fc.assert(
      fc.property(...all, (lines, size) => {
        const whole = lines.map((one) => Buffer.concat([one, Buffer.from('\n')]));
        const stream = whole.flatMap((one) => [Buffer.from(AT), one]);
        const { text, words } = read(Buffer.concat(stream), size);
        expect(text).toBe(Buffer.concat(whole).toString('latin1'));
        expect(words).toBeUndefined();
      }),
    );
  });
});
