import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { keysOf, signedHeaders } from '../../../../lib/webhooks/signature.ts';

const secretOf = (key: Uint8Array) => `whsec_${Buffer.from(key).toString('base64')}`;
const key = fc.uint8Array({ minLength: 24, maxLength: 64 });

describe('signedHeaders', () => {
  it('signs so that the package of Standard Webhooks believes it, with each of several keys', () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 3 }), fc.jsonValue(), (keys, value) => {
        const body = JSON.stringify({ value });
        const secrets = keys.map(secretOf);
        const headers = signedHeaders('evt_1', body, keysOf(secrets.join(' ')) ?? [], Date.now());
        for (const secret of secrets) {
          expect(() => new Webhook(secret).verify(body, { ...headers })).not.toThrow();
          expect(() => new Webhook(secret).verify(`${body} `, { ...headers })).toThrow();
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('keysOf', () => {
  it.each(
    [
      ['', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_', 'whsec_AAAA', 'whsec_!!!!'],
      [`whsec_${'A'.repeat(100)}`, secretOf(Buffer.alloc(23)), secretOf(Buffer.alloc(65))],
    ].flat(),
  )('takes %j for no secret', (text) => {
    expect(keysOf(text)).toBeUndefined();
  });
});
