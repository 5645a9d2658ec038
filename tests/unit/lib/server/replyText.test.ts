import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OPEN_DOOR } from '../../../../lib/access/tokenStore.ts';
import type { GatewayRequest } from '../../../../lib/gateway/types.ts';
import { inOrder, type Repeated, replyText } from '../../../../lib/server/replyText.ts';
import type { Told } from '../../../../lib/server/verbs.ts';
import { ExactNumber, type JsonValue } from '../../../../lib/wire/json.ts';
import { keepText } from '../../../../lib/wire/keptText.ts';
import { payloadOf } from '../../../../lib/wire/payload.ts';
import { dumps } from '../../../../lib/wire/pythonJson.ts';
import { doorWith } from '../../../helpers/door.ts';

const KNOWN_LINES = {};
const KNOWN_HEADERS = [['Host', 'x:1'] as const, ['X-Name', 'grüß "s3cret" \\'] as const];

interface Asked {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: GatewayRequest['rawHeaders'];
  readonly lines?: object;
  readonly body?: string;
  readonly isOpen?: boolean;
}

function repeated({
  method = 'POST',
  target = '/api/v1/cmd',
  headers = [],
  lines,
  body = '',
  isOpen = true,
}: Asked): Repeated {
  const request = {
    ...{ method, target, httpVersion: '1.1', rawHeaders: headers, lines },
    authorization: undefined,
  };
  const door = isOpen ? OPEN_DOOR : doorWith(['s3cret']);
  return { request, payload: payloadOf(body), door };
}

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('s3cret', 'a\nb', 'é', '"', '\x7f', '~'),
);
const json = fc.oneof(
  fc.jsonValue() as fc.Arbitrary<JsonValue>,
  fc.constant<JsonValue>({ exact: new ExactNumber('1.0') }),
);
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const told = fc.record(
  {
    status: fc.oneof(fc.boolean(), json),
    action: text,
    GET: json,
    total: fc.nat(),
    limit: fc.nat(),
    next: fc.nat(),
    meta: json,
    d_ret: json,
    error: json,
    warnings: fc.array(text),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Told>;

describe('the text of a short reply', () => {
  it('is what the whole reply would be written as', () => {
    const asked = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'm-search'),
      target: fc.oneof(fc.constant('/api/v1/cmd'), fc.constant('/s3cret/'), text),
      headers: fc.array(fc.tuple(fc.constantFrom('Host', 'Cookie', 'x'), text)),
      body: text,
      isOpen: fc.boolean(),
    });
    fc.assert(
      fc.property(asked, told, some(text), fc.boolean(), (head, members, sent, isKept) => {
        const all: Told = { ...members };
        if (sent !== undefined) {
          Object.assign(all, { client_json_payload: sent, client_json_len: sent.length });
        }
        const result = all.d_ret;
        const isObject = typeof result === 'object' && result !== null && !Array.isArray(result);
        if (isKept && isObject) keepText(result as Record<string, JsonValue>);
        if (sent === undefined || sent === '') delete all.payloadsize;
        else all.payloadsize = sent.length;
        const asks = repeated(sent === undefined ? head : { ...head, body: sent });
        const shown = { ...all };
        // What is told of the payload is what is echoed of it.
        if (sent !== undefined) {
          shown.client_json_payload = asks.door.mask(sent);
        }
        const whole = dumps(inOrder(asks, shown), 4);
        expect(replyText(asks, shown)).toBe(whole);
        // The text of a kept result is there already.
        expect(replyText(asks, shown)).toBe(whole);
      }),
    );
  });

  it('is right for each of several requests with the same header lines', () => {
    const known = { headers: KNOWN_HEADERS, lines: KNOWN_LINES };
    for (const each of [
      { ...known, target: '/a' },
      { ...known, target: '/b/' },
      { ...known, target: '/b/', method: 'PUT' },
      { ...known, target: '/b/', method: 'PUT', isOpen: false },
      { ...known, target: '/a' },
    ]) {
      const asks = repeated(each);
      expect(replyText(asks, { status: true })).toBe(dumps(inOrder(asks, { status: true }), 4));
    }
    expect(replyText(repeated({ ...known, isOpen: false }), {})).not.toContain('s3cret');
  });
});
