import { expect, it } from '@jest/globals';
import { refusal } from '../../../../lib/client/clientError.ts';
import { PmanClientError } from '../../../../lib/client/index.ts';
import { clientHint } from '../../../../lib/verbs/clientHint.ts';

it('whoever gave no token is told of the flag and the variables, not of a header', () => {
  const hint = 'send the header "Authorization: Bearer <token>"';
  const error = new PmanClientError('unauthorized', 'this server wants a token', {
    status: 401,
    hint,
  });
  expect(clientHint(error)).toMatch(/--token-file FILE .*PMAN_TOKEN/);
  expect(clientHint(error)).not.toMatch(/header/);
});

it('other refusals have the words of the server', () => {
  expect(clientHint(new PmanClientError('conflict', 'taken', { hint: 'wait' }))).toBe('wait');
});

const answered = (status: number, text: string) =>
  refusal('http://lab', { status, headers: new Headers() }, text);

it.each([500, 502, 503, 504])('a proxy that answers %i stands at the right address', (status) => {
  const hint = clientHint(answered(status, '<html>'));
  expect(hint).toMatch(/pman behind it is away/);
  expect(hint).not.toMatch(/undefined|--server/);
});

it.each([
  'This port speaks TLS: ask with https://.',
  'Client sent an HTTP request to an HTTPS server.',
])('whoever speaks to a TLS server without it is told of https: %s', (text) => {
  const error = answered(400, text);
  expect(error.message).toBe('http://lab speaks TLS');
  expect(clientHint(error)).toMatch(/^name it by https:\/\/ .*--server/);
});

it('another 400 is that of something else', () => {
  expect(clientHint(answered(400, 'what?'))).toMatch(/^name what stands before .*--server/);
});
