import { expect, it } from '@jest/globals';
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
