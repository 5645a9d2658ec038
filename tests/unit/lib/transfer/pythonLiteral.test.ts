import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BadRequestError } from '../../../../lib/errors.ts';
import { formatPythonLiteral, parsePythonLiteral } from '../../../../lib/transfer/pythonLiteral.ts';

const anyJson = fc
  .jsonValue({ stringUnit: 'binary', depthSize: 'medium' })
  .map(
    (value) =>
      JSON.parse(JSON.stringify(value, (_, v: unknown) => (Object.is(v, -0) ? 0 : v))) as unknown,
  );

describe('parsePythonLiteral', () => {
  it('reads what purl sends', () => {
    const text =
      "{'local': {'path': '/a b'}, 'transport': {'checkRemote': True, 'compress': {'unpack': False, 'x': None}}}";
    expect(parsePythonLiteral(text)).toEqual({
      local: { path: '/a b' },
      transport: { checkRemote: true, compress: { unpack: false, x: null } },
    });
  });

  it.each([
    [`'it\\'s'`, "it's"],
    [`"it's"`, "it's"],
    [String.raw`'\x41\u00e9\U0001f600\n\\'`, 'Aé😀\n\\'],
    ["u'x'", 'x'],
    ['(1, 2)', [1, 2]],
    ['(1,)', [1]],
    ['(1)', 1],
    ['[1, 2.5, -3e2, 0x10,]', [1, 2.5, -300, 16]],
    ['{1: 2}', { 1: 2 }],
    [' { } ', {}],
  ])('reads %s', (text, value) => {
    expect(parsePythonLiteral(text)).toEqual(value);
  });

  it.each([
    '',
    '__import__("os").system("id")',
    '{"a": open}',
    '{"a"}',
    '[1 2]',
    "'open",
    "'a' 'b'",
    "b'x'",
    String.raw`'\x4'`,
    '1 + 1',
    '['.repeat(5000),
  ])('refuses %.30s', (text) => {
    expect(() => parsePythonLiteral(text)).toThrow(BadRequestError);
  });

  it('makes no prototype of a key', () => {
    const value = parsePythonLiteral("{'__proto__': {'status': True}}");
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect((value as { status?: unknown }).status).toBeUndefined();
  });

  it('reads JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(parsePythonLiteral(JSON.stringify(value))).toEqual(value);
      }),
    );
  });

  it('ends with a value or a refusal on any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...`{}[]()'",:\\xuU0a1.e- TrueNone`) }),
        (text) => {
          try {
            parsePythonLiteral(text);
          } catch (error) {
            expect(error).toBeInstanceOf(BadRequestError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('formatPythonLiteral', () => {
  it('writes as Python does', () => {
    const value = { 'a"b': "it's", n: [1, true, null], c: 'é\u00ad\u0007😀\ue000' };
    expect(formatPythonLiteral(value)).toBe(
      String.raw`{'a"b': "it's", 'n': [1, True, None], 'c': 'é\xad\x07😀\ue000'}`,
    );
  });

  it('is read back as it was', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(parsePythonLiteral(formatPythonLiteral(value))).toEqual(value);
      }),
    );
  });
});
