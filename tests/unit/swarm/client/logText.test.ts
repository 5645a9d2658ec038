import { describe, expect, it } from '@jest/globals';
import { textOf, withoutLogError } from '../../../../swarm/client/logText.ts';

function frame(stream: 1 | 2, bytes: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

describe('textOf', () => {
  const read = async (chunks: readonly Buffer[], tty: boolean) => {
    const source = async function* () {
      yield* chunks;
    };
    const parts: Buffer[] = [];
    for await (const part of textOf(source(), tty)) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  const bytes = Buffer.concat([frame(1, Buffer.from('out\n')), frame(2, Buffer.from('error\n'))]);

  it.each([1, 3, 7, 100])(
    'gives the text of frames that come in pieces of %d bytes',
    async (size) => {
      const count = Math.ceil(bytes.length / size);
      const pieces = Array.from({ length: count }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(await read(pieces, false)).toBe('out\nerror\n');
      expect(await read(pieces, true)).toBe(bytes.toString());
    },
  );

  it('joins the frames of both streams in their order, also in the middle of a letter', async () => {
    const euro = Buffer.from('€');
    const parts = [
      frame(2, Buffer.from('err\n')),
      frame(1, euro.subarray(0, 1)),
      frame(1, euro.subarray(1)),
    ];
    expect(await read([Buffer.concat([frame(1, Buffer.from('out\n')), ...parts])], false)).toBe(
      'out\nerr\n€',
    );
  });

  const gone = '{"cause":"no such container","message":"no such container: x","response":500}\n';

  it.each([
    ['that the container is gone', gone, { message: 'no such container: x', statusCode: 404 }],
    ['anything else', '{"message":"disk failure"}', { message: 'disk failure', statusCode: 500 }],
    ['what is no JSON', 'bad gateway', { message: /no output: "bad gateway"/, statusCode: 500 }],
  ])('takes an error of the engine for no output: %s', async (_, said, { message, statusCode }) => {
    const expected = { message: expect.stringMatching(message), statusCode };
    await expect(read([Buffer.from(said)], false)).rejects.toMatchObject(expected);
    const parts: string[] = [];
    const source = async function* () {
      yield Buffer.concat([bytes, Buffer.from(said.slice(0, 9))]);
      yield Buffer.from(said.slice(9));
    };
    const reading = async () => {
      for await (const part of textOf(source(), false)) parts.push(part.toString());
    };
    await expect(reading()).rejects.toMatchObject(expected);
    expect(parts.join('')).toBe('out\nerror\n');
    expect(await read([Buffer.from(said)], true)).toBe(said);
  });

  it('keeps what there is of a last frame that was cut', async () => {
    expect(await read([bytes.subarray(0, -3)], false)).toBe('out\nerr');
    expect(await read([Buffer.from([1, 0, 0])], false)).toBe('');
  });
});

describe('withoutLogError', () => {
  const excuse =
    'Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs ' +
    'could not be retrieved for the following reasons: node x is not available\n';

  it("puts what the engine could not fetch in brackets, behind the task's own output", () => {
    const text = withoutLogError(`up\r\n${excuse}`);
    expect(text).toMatch(/^up\r\n\[… .*: warning: .* node x is not available …\]\n$/);
  });

  it.each(['', 'up\r\n', `${excuse}and more\r\n`, 'no Error grabbing\r\n'])(
    'leaves other output alone: %j',
    (text) => {
      expect(withoutLogError(text)).toBe(text);
    },
  );
});
