import { describe, expect, it } from '@jest/globals';
import { logText } from '../../../swarm/logText.ts';

function frame(stream: 1 | 2, bytes: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

describe('logText', () => {
  it('joins the frames of both streams in their order, also in the middle of a letter', () => {
    const euro = Buffer.from('€');
    const bytes = Buffer.concat([
      frame(1, Buffer.from('out\n')),
      frame(2, Buffer.from('err\n')),
      frame(1, euro.subarray(0, 1)),
      frame(1, euro.subarray(1)),
    ]);
    expect(logText(bytes, false)).toBe('out\nerr\n€');
  });

  it('keeps what there is of a last frame that was cut', () => {
    expect(logText(frame(1, Buffer.from('abcdef')).subarray(0, 11), false)).toBe('abc');
    expect(logText(Buffer.from([1, 0, 0]), false)).toBe('');
  });

  it('takes the output of a terminal as it is', () => {
    expect(logText(Buffer.from('{"a": 1}\r\n'), true)).toBe('{"a": 1}\r\n');
  });
});
