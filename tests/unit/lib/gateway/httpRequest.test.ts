import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { HttpRequest, headOf } from '../../../../lib/gateway/httpRequest.ts';

/** A request with that header, whose value arrived in these bytes. */
function withHeader(name: string, bytes: Buffer): HttpRequest {
  const message = new IncomingMessage(new Socket());
  message.rawHeaders = [name, bytes.toString('latin1')];
  return new HttpRequest(headOf(message), Buffer.alloc(0));
}

describe('the headers of an HttpRequest', () => {
  it.each([
    ['ASCII', Buffer.from('a: b'), 'a: b'],
    ['UTF-8', Buffer.from('café ✓'), 'café ✓'],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0xe9]), 'a\u00e9'],
  ])('are read as a client means them: %s', (_what, bytes, text) => {
    expect(withHeader('X-Name', bytes).rawHeaders).toEqual([['X-Name', text]]);
    expect(withHeader('authorization', bytes).authorization).toBe(text);
  });
});
