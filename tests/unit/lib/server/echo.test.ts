import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Door, OPEN_DOOR } from '../../../../lib/access/tokenStore.ts';
import type { GatewayRequest } from '../../../../lib/gateway/types.ts';
import { echoOf, pathOf, tellPayload } from '../../../../lib/server/echo.ts';
import type { Told } from '../../../../lib/server/verbs.ts';
import { type Payload, payloadOf } from '../../../../lib/wire/payload.ts';
import { doorWith } from '../../../helpers/door.ts';

function payloadEcho(payload: Payload, door: Pick<Door, 'mask'>) {
  const told: Told = {};
  tellPayload(payload, door, told);
  return told;
}

function request(
  headers: GatewayRequest['rawHeaders'] = [],
  target = '/api/v1/cmd',
): GatewayRequest {
  return {
    method: 'POST',
    target,
    httpVersion: '1.1',
    rawHeaders: headers,
    authorization: undefined,
    body: Buffer.alloc(0),
    signal: new AbortController().signal,
  };
}

describe('echoOf', () => {
  it('tells the lines as they came, \\r included', () => {
    const asked = request(
      [
        ['Host', 'x:1'],
        ['accept', '*/*'],
      ],
      '/api/v1/',
    );
    expect(echoOf(asked, payloadOf('{"a":\n1}'), OPEN_DOOR)).toEqual({
      RESTheader: 'POST /api/v1/ HTTP/1.1\r',
      RESTverb: 'POST',
      path: '/api/v1',
      receivedByServer: [
        ...['POST /api/v1/ HTTP/1.1\r', 'Host: x:1\r', 'accept: */*\r', '\r'],
        ...['{"a":', '1}'],
      ],
    });
  });

  it('has an empty last line when there is no body', () => {
    expect(echoOf(request(), payloadOf(''), OPEN_DOOR).receivedByServer.at(-1)).toBe('');
  });

  it.each([
    ['Authorization', 'Bearer s3cret'],
    ['AUTHORIZATION', 's3cret'],
    ['Proxy-Authorization', 'Basic s3cret'],
    ['Cookie', 'session=s3cret'],
    ['X-Forwarded-For', 's3cret'],
  ])('does not show what %s holds', (name, value) => {
    const door = doorWith(['s3cret']);
    const { receivedByServer } = echoOf(request([[name, value]]), payloadOf(''), door);
    expect(receivedByServer[1]).toBe(`${name}: ***\r`);
    expect(receivedByServer.join('\n')).not.toContain('s3cret');
  });

  it('does not show a token in the target, in a body, or in the payload', () => {
    const door = doorWith(['s3cret', 's3cret-too']);
    const asked = request([['Host', 'x']], '/api/v1/s3cret?t=s3cret-too');
    const echo = echoOf(asked, payloadOf('{"t": "s3cret-too s3cret"}'), door);
    expect(echo.path).toBe('/api/v1/***?t=***');
    expect(echo.receivedByServer.at(-1)).toBe('{"t": "*** ***"}');
    expect(JSON.stringify(echo)).not.toContain('s3cret');
    expect(payloadEcho(payloadOf('s3cret'), door)).toEqual({
      client_json_payload: '***',
      client_json_len: 6,
      payloadsize: 6,
    });
  });

  it('shows the beginning of a long body and says how much is left out', () => {
    const { receivedByServer } = echoOf(request(), payloadOf('x'.repeat(100_000)), OPEN_DOOR);
    const shown = receivedByServer.at(-1) ?? '';
    expect(shown).toBe(`${'x'.repeat(65_536)}… [34464 more characters]`);
  });
});

describe('pathOf', () => {
  it.each([
    ['/', ''],
    ['/api/v1/', '/api/v1'],
    ['/api/v1//', '/api/v1/'],
    ['/a', '/a'],
    ['', ''],
  ])('cuts one slash off the end of %j', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });
});

describe('tellPayload', () => {
  it.each([
    ['{"a": 1}', 8],
    ['grüß', 4],
    ['😀😀', 2],
    ['\r\n', 2],
  ])('counts the characters of %j as Python does', (payload, length) => {
    expect(payloadEcho(payloadOf(payload), OPEN_DOOR)).toEqual({
      client_json_payload: payload,
      client_json_len: length,
      payloadsize: length,
    });
  });

  it('has no payloadsize without a payload', () => {
    expect(payloadEcho(payloadOf(''), OPEN_DOOR)).toEqual({
      client_json_payload: '',
      client_json_len: 0,
    });
  });

  it('counts code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(payloadEcho(payloadOf(text), OPEN_DOOR).client_json_len).toBe([...text].length);
      }),
    );
  });

  it('tells the length of the whole when it shows the beginning, and cuts no character', () => {
    const payload = `x${'😀'.repeat(50_000)}`;
    const { client_json_payload: shown = '', client_json_len: length } = payloadEcho(
      payloadOf(payload),
      OPEN_DOOR,
    );
    expect(length).toBe(50_001);
    const [kept = '', note] = shown.split('…');
    expect(payload.startsWith(kept) && kept.length > 1000).toBe(true);
    expect(kept).not.toMatch(/[\ud800-\udfff]/u);
    expect(note).toBe(` [${50_001 - [...kept].length} more characters]`);
  });
});
