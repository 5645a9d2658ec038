import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseJson } from '../../../../lib/wire/json.ts';
import { payloadOf, REQUEST_LIMITS, readPayload } from '../../../../lib/wire/payload.ts';
import { dumps } from '../../../../lib/wire/pythonJson.ts';
import { within } from '../../../helpers/patience.ts';

/** As large as bodies that are read in turns. */
const long = (text: string) => Buffer.from(`${' '.repeat(300_000)}${text}`);

async function payload(bytes: Buffer) {
  const read = await readPayload(bytes);
  if (read === undefined) throw new Error('it is no UTF-8');
  return read;
}

async function jsonOf(bytes: Buffer) {
  return (await payload(bytes)).json();
}

/** The longest time in which nothing else got its turn, in milliseconds. */
async function longestPause(work: Promise<unknown>): Promise<number> {
  let longest = 0;
  let isOver = false;
  const done = work.then(
    () => undefined,
    () => undefined,
  );
  void done.then(() => {
    isOver = true;
  });
  for (let last = performance.now(); !isOver; ) {
    await new Promise((resolve) => setImmediate(resolve));
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  return longest;
}

describe('readPayload', () => {
  it('reads a long body as it reads a short one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 4 }), async (text) => {
        const value = await jsonOf(long(text));
        expect(dumps(value)).toBe(dumps(parseJson(text)));
        expect(value).toEqual(await payloadOf(text).json());
      }),
    );
  });

  it.each([
    ['{"a": 1, "a": 2.50, "b": 1e400, "__proto__": {"threaded": true}}'],
    ['[0, -0, 1.0, 12345678901234567890, true, false, null, "", {}, [], [[]], [{}, {"": []}]]'],
    ['"grüß\\n\\u00e9\\ud83d\\ude00 😀 \\"\\\\"'],
  ])('keeps what %s says', async (text) => {
    expect(dumps(await jsonOf(long(text)))).toBe(dumps(parseJson(text)));
  });

  it('puts long texts together from their pieces, cut nowhere inside a character or an escape', async () => {
    for (const piece of ['é', '😀', '\n', '"', '\\', '\u0001', 'ab\n€', '\ud83d\ude00\t']) {
      const text = piece.repeat(400_000);
      for (const json of [JSON.stringify(text), dumps(text)]) {
        expect((await jsonOf(Buffer.from(json))) === text).toBe(true);
      }
    }
  });

  it.each(['{', '{"a": }', "{'a': 1}", '{"a": 1,}', '{"a" 1}', '[1 2]', '[1,]', 'NaN', '1.', '01'])(
    'refuses %j in a long body',
    async (text) => {
      await expect(jsonOf(long(text))).rejects.toThrow(/^the body is not JSON: /);
    },
  );

  it.each([
    '+1',
    '1e',
    'tru',
    '"\\x41"',
    '"\\u00"',
    '"a',
    '"a\u0001"',
    '\ufeff{}',
    '{} {}',
    '',
    ']',
  ])('refuses %j in a long body too', async (text) => {
    await expect(jsonOf(long(text))).rejects.toThrow(/^the body is not JSON: /);
  });

  it('does not take bytes that are no UTF-8', async () => {
    expect(await readPayload(Buffer.from([0x22, 0xff, 0x22]))).toBeUndefined();
    expect(await readPayload(Buffer.concat([long('"'), Buffer.from([0xc3])]))).toBeUndefined();
  });

  it('counts the characters of a long body as Python does, and leaves out its last line end', async () => {
    const text = `"${'x'.repeat(300_000)}é😀"`;
    for (const end of ['', '\n', '\r\n']) {
      const { characters, isBlank, beginning } = await payload(Buffer.from(text + end));
      expect([characters, isBlank]).toEqual([[...text].length, false]);
      expect(text.startsWith(beginning) && beginning.length > 65_536).toBe(true);
    }
    expect((await payload(Buffer.from('{}\n\n'))).beginning).toBe('{}\n');
    expect((await payload(Buffer.from(' \r\n'))).isBlank).toBe(true);
  });

  it.each([
    ['a list', (count: number) => `[${'1,'.repeat(count - 2)}1]`],
    ['lists', (count: number) => `[${'[],'.repeat(count - 2)}[]]`],
    ['members', (count: number) => `{${'"a":1,'.repeat(count - 2)}"b":1}`],
  ])('takes 100,000 values in %s, and not one more', async (_what, make) => {
    expect(REQUEST_LIMITS.maxNodes).toBe(100_000);
    for (const pad of [0, 300_000]) {
      const body = (count: number) => Buffer.from(' '.repeat(pad) + make(count));
      await expect(jsonOf(body(100_000))).resolves.toBeDefined();
      const refusal = { code: 'payload_too_large', message: /more than 100000 JSON values/ };
      await expect(jsonOf(body(100_001))).rejects.toMatchObject({
        ...refusal,
        message: expect.stringMatching(refusal.message),
      });
    }
  });

  it('does not build what it refuses', async () => {
    const body = Buffer.from(`[${'{},'.repeat(5_000_000)}0]`);
    const start = performance.now();
    await expect(jsonOf(body)).rejects.toThrow('more than 100000 JSON values');
    expect(performance.now() - start).toBeLessThan(within(1000)); // building it takes several seconds
  });

  it('nests as deep as a short body, and refuses long numbers', async () => {
    const nested = (levels: number) => long('['.repeat(levels) + ']'.repeat(levels));
    await expect(jsonOf(nested(500))).resolves.toBeDefined();
    await expect(jsonOf(nested(501))).rejects.toThrow('deeper than 500 levels');
    await expect(jsonOf(long('9'.repeat(4300)))).resolves.toBeDefined();
    for (const body of [long('9'.repeat(4301)), Buffer.from('9'.repeat(4301))]) {
      await expect(jsonOf(body)).rejects.toThrow('a number of more than 4300');
    }
  });

  it('leaves turns to others while it reads', async () => {
    const many = `{${Array.from({ length: 90_000 }, (_, i) => `"${i}${'k'.repeat(80)}": 1.5`).join()}}`;
    const bodies = [many, JSON.stringify('\n'.repeat(4_000_000)), JSON.stringify('é'.repeat(4e6))];
    for (const body of bodies) {
      const bytes = Buffer.from(body);
      const work = payload(bytes).then(async (read) => read.json());
      expect(await longestPause(work)).toBeLessThan(within(150)); // at once, each takes several hundred
    }
  });
});
