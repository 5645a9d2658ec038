import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { atOnce } from '../../../../lib/concurrency/turns.ts';
import { ExactNumber, type JsonValue, parseJson } from '../../../../lib/wire/json.ts';
import { dumps, dumpsInSteps } from '../../../../lib/wire/pythonJson.ts';

describe('dumps', () => {
  /** What `json.dumps` of Python 3.11 writes. */
  it.each([
    ['\x7f', '"\\u007f"'],
    ['\x00\x1f\b\t\n\f\r"\\/', '"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\/"'],
    ['grüß', '"gr\\u00fc\\u00df"'],
    ['😀', '"\\ud83d\\ude00"'],
    ['\ud800', '"\\ud800"'],
    ['\u2028', '"\\u2028"'],
    [' ~', '" ~"'],
  ])('writes the string %j as Python does', (value, text) => {
    expect(dumps(value)).toBe(text);
  });

  const value = parseJson('{"b": 1, "a": [1, 2.5, 1.0, -0.0, true, null, ""], "é": {}, "e": []}');

  it('separates with ", " and ": " on one line', () => {
    expect(dumps(value)).toBe(
      '{"b": 1, "a": [1, 2.5, 1.0, -0.0, true, null, ""], "\\u00e9": {}, "e": []}',
    );
  });

  it('writes one item a line when indented, and empty things in one piece', () => {
    expect(dumps(value, 4)).toBe(`{
    "b": 1,
    "a": [
        1,
        2.5,
        1.0,
        -0.0,
        true,
        null,
        ""
    ],
    "\\u00e9": {},
    "e": []
}`);
  });

  it.each([
    ['[]', '[]'],
    ['{}', '{}'],
    ['[[]]', '[\n    []\n]'],
    ['{"a": {}}', '{\n    "a": {}\n}'],
    ['1.0', '1.0'],
    ['"x"', '"x"'],
  ])('indents %s as Python does', (text, indented) => {
    expect(dumps(parseJson(text), 4)).toBe(indented);
  });

  it('writes the same at once and in steps, whatever numbers there are', () => {
    const number = fc.constantFrom('1.0', '-0', '1e400', '12345678901234567890', '7', '2.5');
    const text = fc
      .tuple(fc.json({ maxDepth: 4 }), fc.array(number), fc.string({ unit: 'binary' }))
      .map(([json, numbers, key]) => `{"a": ${json}, ${JSON.stringify(key)}: [${numbers.join()}]}`);
    fc.assert(
      fc.property(text, (one) => {
        const parsed = parseJson(one);
        expect(dumps(parsed, 4)).toBe(atOnce(dumpsInSteps(parsed, 4)).toString());
      }),
    );
  });

  it('leaves out members that are undefined', () => {
    const partial = { status: true, GET: undefined, d_ret: 1 } as unknown as JsonValue;
    expect(dumps(partial)).toBe('{"status": true, "d_ret": 1}');
    expect(dumps(partial, 1)).toBe('{\n "status": true,\n "d_ret": 1\n}');
  });

  it('escapes long texts as it escapes short ones', () => {
    const short = 'aé😀\u007f\\"\n\u0001ﬀ';
    expect(dumps(short.repeat(2000))).toBe(`"${dumps(short).slice(1, -1).repeat(2000)}"`);
  });

  it('writes ASCII only, and nothing is lost on the way there and back', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: 'binary' }),
        fc.option(fc.nat(8), { nil: undefined }),
        (sent, indent) => {
          const text = dumps(parseJson(JSON.stringify(sent)), indent);
          expect(text).toMatch(/^[\n -~]*$/);
          expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(sent)));
        },
      ),
    );
  });
});

describe('dumpsInSteps', () => {
  const inSteps = (value: unknown, indent?: number) =>
    atOnce(dumpsInSteps(value, indent)).toString('latin1');

  it('writes a map as the object with its members', () => {
    const members = fc.array(fc.tuple(fc.string(), fc.jsonValue()), { maxLength: 5 });
    fc.assert(
      fc.property(members, (list) => {
        const map = new Map(list);
        const told = [...map].map(([name, value]) => `${dumps(name)}: ${dumps(value)}`);
        expect(dumps({ a: map })).toBe(`{"a": {${told.join(', ')}}}`);
        expect(inSteps({ a: map })).toBe(dumps({ a: map }));
        expect(JSON.parse(inSteps(map, 4))).toEqual(JSON.parse(dumps(map)));
      }),
    );
  });

  it('writes what dumps writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(inSteps(value, 4)).toBe(dumps(value, 4));
        expect(inSteps(value)).toBe(dumps(value));
      }),
    );
  });

  it('leaves out what JSON does not know, and keeps numbers', () => {
    const value = {
      a: undefined,
      b: [undefined, {}, []],
      c: new ExactNumber('1.0'),
      d: { e: 'ü' },
    };
    expect(inSteps(value, 4)).toBe(dumps(value, 4));
    expect(inSteps(value)).toBe(dumps(value));
  });

  it('makes a step of every 64 Ki characters', () => {
    const steps = dumpsInSteps(Array(10).fill('x'.repeat(65_536)), 4);
    let count = 0;
    while (!steps.next().done) count += 1;
    expect(count).toBe(10);
  });
});
