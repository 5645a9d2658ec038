import { expect, it } from '@jest/globals';
import { isHere, pageUrl } from '../../../../lib/verbs/serverUrl.ts';

it.each([
  ['http://localhost:5010', true],
  ['http://127.0.0.1:1', true],
  ['http://[::1]:5010', true],
  ['https://pman.lab', false],
  ['http://127.lab', false],
])('%s is on this host: %j', (url, here) => {
  expect(isHere(url)).toBe(here);
});

it('puts the page below an address, with and without a slash at its end', () => {
  expect(pageUrl('http://host:5010')).toBe('http://host:5010/ui');
  expect(pageUrl('https://host/pman//')).toBe('https://host/pman/ui');
});
