import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BadRequestError } from '../../../../lib/errors.ts';
import {
  ExactNumber,
  isJsonObject,
  isTruthy,
  type JsonValue,
  jsonEquals,
  MAX_JSON_DEPTH,
  parseJson,
} from '../../../../lib/wire/json.ts';
import { dumps } from '../../../../lib/wire/pythonJson.ts';
import { within } from '../../../helpers/patience.ts';

/** A number as it is, a string as Python writes it. */
const asPython = (json: string) =>
  json.startsWith('"') ? dumps(JSON.parse(json) as string) : json;

describe('parseJson', () => {
  it.each(['1.0', '-0.0', '1e400', '12345678901234567890', '0.10', '1E5', '-1.50e-3'])(
    'keeps the number %s as it was sent',
    (text) => {
      expect(dumps(parseJson(`{"n": [${text}]}`))).toBe(`{"n": [${text}]}`);
    },
  );

  it.each(['0', '-1', '42', '0.5', '900719925474099', '9007199254740992'])(
    'gives the number %s as a number',
    (text) => {
      expect(parseJson(text)).toBe(Number(text));
    },
  );

  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(JSON.stringify(parseJson(text)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each(['1.50', '-1e2', '12345678901234567', ' 7.0 '])(
    'keeps the text of a number wherever it stands: %s',
    (text) => {
      for (const [before, after] of [
        ['', ''],
        ['[', ']'],
        ['[1, ', ']'],
        ['{"a" : ', '}'],
        ['{"\\"" :\n', '}'],
      ]) {
        const value = parseJson(`${before}${text}${after}`);
        const found = Array.isArray(value)
          ? value.at(-1)
          : isJsonObject(value)
            ? Object.values(value)[0]
            : value;
        expect(found).toEqual(new ExactNumber(text.trim()));
      }
    },
  );

  it('keeps the text of each number among others and among strings that look like them', () => {
    const digits = fc.stringMatching(/^(?:0|[1-9]\d{0,18})(?:\.\d{1,8})?(?:[eE][+-]?\d{1,2})?$/);
    const number = fc.tuple(fc.constantFrom('', '-'), digits).map(([sign, text]) => sign + text);
    const string = fc
      .oneof(fc.string(), fc.stringMatching(/^[ ,:"[\\\d.eE-]{0,9}$/))
      .map((text) => JSON.stringify(text));
    const list = fc.array(fc.oneof(number, string), { minLength: 1 });
    fc.assert(
      fc.property(list, fc.constantFrom(',', ', ', '\n,\t'), (members, comma) => {
        const plain = members.filter((one) => one !== '-0');
        const array = parseJson(`[${plain.join(comma)}]`);
        expect(dumps(array)).toBe(`[${plain.map(asPython).join(', ')}]`);
        const object = parseJson(`{${plain.map((one, k) => `"${k}a" : ${one}`).join(comma)}}`);
        expect(isJsonObject(object) && Object.values(object)).toEqual(array);
      }),
    );
  });

  it('takes the last one of two members of one name, with its number as sent', () => {
    expect(dumps(parseJson('{"a": 1, "a": 2.50, "b": 1e400}'))).toBe('{"a": 2.50, "b": 1e400}');
  });

  it.each(['{"__proto__": {"threaded": true}}', '{"__proto__": {"threaded": true}, "n": 1.0}'])(
    'takes __proto__ for a member like any other: %s',
    (text) => {
      const value = parseJson(text) as { threaded?: unknown };
      expect(Object.keys(value)).toContain('__proto__');
      expect(value.threaded).toBeUndefined();
    },
  );

  it.each(['', '{', '{"a": }', "{'a': 1}", '{"a": 1,}', 'NaN', '1.', '01', '\ufeff{}', '{} {}'])(
    'refuses %j with what it has to be',
    (text) => {
      expect(() => parseJson(text)).toThrow(BadRequestError);
      expect(() => parseJson(text)).toThrow(/^the body is not JSON: /);
    },
  );

  it('takes as many levels as it says, and no more', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(() => parseJson(nested(MAX_JSON_DEPTH))).not.toThrow();
    expect(() => parseJson(nested(MAX_JSON_DEPTH + 1))).toThrow('deeper than 500 levels');
    expect(() => parseJson(`{"a": ${nested(MAX_JSON_DEPTH)}}`)).toThrow('deeper than 500 levels');
  });

  it('counts no brackets inside strings', () => {
    const text = JSON.stringify({ cmd: `\\"${'[{'.repeat(2 * MAX_JSON_DEPTH)}` });
    expect(dumps(parseJson(text))).toContain('[{[{');
  });

  it('refuses a body of nothing but brackets at once', () => {
    const text = '['.repeat(2_000_000) + ']'.repeat(2_000_000);
    const start = performance.now();
    expect(() => parseJson(text)).toThrow('deeper than 500 levels');
    // Parsing it takes a second and more.
    expect(performance.now() - start).toBeLessThan(within(800));
  });
});

/** Pairs and whether `json.loads(a) == json.loads(b)`, recorded from Python 3.11. */
const COMPARED: readonly (readonly [string, string, boolean])[] = [
  ['1', 'true', true],
  ['0', 'false', true],
  ['1', '1.0', true],
  ['"1"', '1', false],
  ['null', 'false', false],
  ['null', '0', false],
  ['""', 'false', false],
  ['[]', '{}', false],
  ['[1,true]', '[true,1.0]', true],
  ['[0]', '[false]', true],
  ['[]', '[[]]', false],
  ['{}', '{}', true],
  ['{"a":1,"b":2}', '{"b":2.0,"a":true}', true],
  ['{"a":1}', '{"a":1,"b":null}', false],
  ['{"a":1}', '{"b":1}', false],
  ['{"__proto__":1}', '{"__proto__":1}', true],
  ['{"__proto__":1}', '{}', false],
  ['0.1', '0.10', true],
  ['0', '-0.0', true],
  ['1e21', '1000000000000000000000', true],
  ['100000000000000000000', '1e20', true],
  ['1e400', '1e401', true],
  ['9007199254740993', '9007199254740992', false],
  ['9007199254740993', '9007199254740993.0', false],
  ['9007199254740992', '9007199254740992.0', true],
  ['12345678901234567890', '12345678901234567890', true],
  ['12345678901234567890', '12345678901234567891', false],
];

describe('jsonEquals', () => {
  it.each(COMPARED)('compares %s with %s as Python does: %s', (a, b, equal) => {
    expect(jsonEquals(parseJson(a), parseJson(b))).toBe(equal);
    expect(jsonEquals(parseJson(b), parseJson(a))).toBe(equal);
  });

  it('finds every value equal to its copy', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(jsonEquals(parseJson(text), parseJson(text))).toBe(true);
      }),
    );
  });

  it('never takes a string for anything else', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (text, other) => {
        fc.pre(typeof other !== 'string');
        expect(jsonEquals(text, other as JsonValue)).toBe(false);
      }),
    );
  });
});

describe('isTruthy', () => {
  it.each(['null', 'false', '0', '0.0', '-0.0', '0e5', '""', '[]', '{}'])(
    'finds %s false, as Python does',
    (text) => {
      expect(isTruthy(parseJson(text))).toBe(false);
    },
  );

  it.each(['"false"', '"0"', '" "', '1', '-1', '0.1', '1e400', '[0]', '{"a":0}', 'true'])(
    'finds %s true, as Python does',
    (text) => {
      expect(isTruthy(parseJson(text))).toBe(true);
    },
  );

  it('finds what is missing false', () => {
    expect(isTruthy(undefined)).toBe(false);
  });
});

describe('isJsonObject', () => {
  it('tells objects from everything else', () => {
    const values = [{}, { a: 1 }, null, [], 'x', 1, true, undefined, new ExactNumber('1.0')];
    expect(values.map(isJsonObject)).toEqual([true, true, ...values.slice(2).map(() => false)]);
  });
});
