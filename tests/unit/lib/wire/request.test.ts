import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { BadRequestError } from '../../../../lib/errors.ts';
import { type JsonObject, type JsonValue, parseJson } from '../../../../lib/wire/json.ts';
import {
  anyJson,
  type Command,
  parseCommand,
  parseEnvelope,
  parseMeta,
  requireSmallMeta,
  searchMeta,
  text,
  treePath,
} from '../../../../lib/wire/request.ts';

function messageOfRefusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof BadRequestError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('parseEnvelope', () => {
  it('takes the command out, and passes over what else there is', () => {
    const body = { other: 1, payload: { action: 'run', more: 2, meta: { cmd: 'x', threaded: 1 } } };
    expect(parseEnvelope(body)).toEqual({
      action: 'run',
      rawMeta: { cmd: 'x', threaded: 1 },
      threaded: true,
    });
  });

  it.each<[JsonValue, string]>([
    [[], 'the body is not a JSON object'],
    ['x', 'the body is not a JSON object'],
    [null, 'the body is not a JSON object'],
    [parseJson('1.0'), 'the body is not a JSON object'],
    [{}, 'the body has no "payload"'],
    [{ payload: null }, '"payload" is not an object'],
    [{ payload: [] }, '"payload" is not an object'],
    [{ payload: {} }, '"payload.action" is missing'],
    [{ payload: { action: 1, meta: {} } }, '"payload.action" is not a string'],
    [{ payload: { action: 'run' } }, '"payload.meta" is missing'],
    [{ payload: { action: 'run', meta: 'x' } }, '"payload.meta" is not an object'],
    [{ payload: { action: 'run', meta: null } }, '"payload.meta" is not an object'],
  ])('refuses %j: %s', (body, message) => {
    expect(messageOfRefusal(() => parseEnvelope(body))).toBe(message);
  });

  it('finds nothing in what a body pretends to inherit', () => {
    const body = parseJson('{"__proto__": {"payload": {"action": "quit", "meta": {}}}, "n": 1.0}');
    expect(messageOfRefusal(() => parseEnvelope(body))).toBe('the body has no "payload"');
  });

  it.each<[JsonValue, boolean]>([
    [true, true],
    ['false', true],
    [0, false],
    ['', false],
    [null, false],
    [[0], true],
  ])('takes threaded: %j for %s, as Python does', (threaded, meant) => {
    const command = parseEnvelope({ payload: { action: 'run', meta: { threaded } } });
    expect(command.threaded).toBe(meant);
  });
});

describe('parseCommand', () => {
  it('names the fields of a bare command without the envelope', () => {
    expect(messageOfRefusal(() => parseCommand({ meta: {} }))).toBe('"action" is missing');
    expect(parseCommand({ action: 'quit', meta: {} }).action).toBe('quit');
  });
});

describe('parseMeta', () => {
  const command = (rawMeta: JsonObject): Command => ({ action: 'act', rawMeta, threaded: false });
  const refusal = (schema: z.ZodType, rawMeta: JsonObject) =>
    messageOfRefusal(() => parseMeta(schema, command(rawMeta)));

  it('names every field that is wrong, and what is wrong with it', () => {
    expect(refusal(searchMeta, {})).toBe('act: "meta.key": is missing; "meta.value": is missing');
    expect(refusal(searchMeta, { key: 5, value: 1 })).toBe('act: "meta.key": is not a string');
    expect(refusal(searchMeta, { key: 'a\0', value: 1 })).toBe(
      'act: "meta.key": holds a NUL character',
    );
  });

  it('refuses a text that is longer than any command', () => {
    const longest = 1024 * 1024;
    expect(text.safeParse('x'.repeat(longest)).success).toBe(true);
    expect(text.safeParse('x'.repeat(longest + 1)).success).toBe(false);
  });

  it('refuses a key that is longer than any path in a tree', () => {
    const longest = 128_000;
    expect(searchMeta.safeParse({ key: 'x'.repeat(longest), value: 1 }).success).toBe(true);
    expect(refusal(searchMeta, { key: 'x'.repeat(longest + 1), value: 1 })).toBe(
      `act: "meta.key": is longer than ${longest} characters`,
    );
  });

  it('leaves out empty pieces of a path before it is taken apart', () => {
    expect(treePath.parse(`${'/'.repeat(100_000)}a//b/`)).toBe('/a/b/');
  });

  it('does not look at members that no action knows: there may be a hundred thousand', () => {
    const meta: JsonObject = { key: 'jid', value: 'a' };
    const get = (): never => {
      throw new Error('it was looked at');
    };
    Object.defineProperty(meta, 'unknown', { enumerable: true, get });
    expect(parseMeta(searchMeta, command(meta))).toEqual({ key: 'jid', value: 'a' });
  });

  it('names a field inside another', () => {
    const schema = z.object({ a: z.object({ b: text }) });
    expect(refusal(schema, { a: { b: 1 } })).toBe('act: "meta.a.b": is not a string');
  });

  it.each<JsonValue>([null, false, 0, '', [], {}])(
    'takes %j for a value that is there',
    (value) => {
      expect(parseMeta(z.object({ value: anyJson }), command({ value })).value).toEqual(value);
    },
  );
});

describe('requireSmallMeta', () => {
  const limits = { maxCharacters: 10, maxValues: 4 };
  const check = (rawMeta: JsonObject) => () =>
    requireSmallMeta({ action: 'act', rawMeta, threaded: false }, limits);

  it.each<JsonObject>([{}, { a: 'x'.repeat(9) }, { a: [1, 2] }, { a: { b: { c: 1 } } }])(
    'takes %j',
    (meta) => expect(check(meta)).not.toThrow(),
  );

  it.each<JsonObject>([
    { a: 'x'.repeat(10) },
    { ['n'.repeat(11)]: 1 },
    { a: ['xxxxx', { b: 'xxxxx' }] },
    { a: [1, 2, 3] },
    { a: 1, b: 2, c: 3, d: 4 },
    { a: [[[[]]]] },
  ])('refuses %j', (meta) => {
    expect(check(meta)).toThrow('act: "meta" has more than 10 characters or 4 values');
  });
});
