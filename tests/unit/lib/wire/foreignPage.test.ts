import { describe, expect, it } from '@jest/globals';
import {
  type PageHeaders,
  type PagePolicy,
  pageHeaders,
  refuseForeign,
} from '../../../../lib/wire/foreignPage.ts';

const open: PagePolicy = { allowOrigins: [], allowHosts: [], hasTokens: false };
const listing: PagePolicy = {
  allowOrigins: ['http://page.example:8080'],
  allowHosts: ['pman.example'],
  hasTokens: false,
};
const own = 'localhost:5010';

function refused(headers: PageHeaders, policy = open): boolean {
  try {
    refuseForeign(headers, policy);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'forbidden' });
    for (const value of Object.values(headers)) {
      const { message, hint } = error as { message: string; hint: string };
      expect(value === '' || !(message + hint).includes(String(value))).toBe(true);
    }
    return true;
  }
}

describe('refuseForeign', () => {
  it.each<[string, PageHeaders]>([
    ['a page of another site', { host: own, origin: 'http://evil.example' }],
    ['a page on another port', { host: own, origin: 'http://localhost:8080' }],
    ['a page on the standard port', { host: own, origin: 'http://localhost' }],
    ['a page at another name of this host', { host: own, origin: 'http://127.0.0.1:5010' }],
    ['a page without an origin', { host: own, origin: 'null' }],
    ['a page on the disk', { host: own, origin: 'file://' }],
    ['an extension', { host: own, origin: 'chrome-extension://abcdef' }],
    [
      'an origin that begins like ours',
      { host: own, origin: 'http://localhost:5010.evil.example' },
    ],
    [
      'an origin with our name before @',
      { host: own, origin: 'http://localhost:5010@evil.example' },
    ],
    ['two origins', { host: own, origin: `http://${own}, http://evil.example` }],
    ['an empty origin', { host: own, origin: '' }],
    ['an origin, and no Host', { origin: `http://${own}` }],
    ['another site, by a link or an image', { host: own, 'sec-fetch-site': 'cross-site' }],
    ['another port of this site', { host: own, 'sec-fetch-site': 'same-site' }],
    ['a site that no browser knows yet', { host: own, 'sec-fetch-site': 'something' }],
  ])('refuses %s', (_what, headers) => {
    expect(refused(headers)).toBe(true);
    expect(refused(headers, { ...open, hasTokens: true })).toBe(true);
    expect(refused(headers, listing)).toBe(true);
    expect(refused(headers, { allowOrigins: 'every', allowHosts: [], hasTokens: true })).toBe(
      false,
    );
  });

  it.each<[string, PageHeaders]>([
    ['a program that is no browser', { host: own }],
    ['an HTTP/1.0 client without Host', {}],
    ['an address that the user has typed', { host: own, 'sec-fetch-site': 'none' }],
    ['a page of its own', { host: own, origin: `http://${own}`, 'sec-fetch-site': 'same-origin' }],
    ['a page of its own, in capitals', { host: 'LocalHost:5010', origin: `http://${own}` }],
    ['a page of its own, on port 80', { host: 'localhost:80', origin: 'http://localhost' }],
    ['a page of its own behind TLS', { host: 'localhost', origin: 'https://localhost' }],
    ['a page of its own, over IPv6', { host: '[::1]:5010', origin: 'http://[::1]:5010' }],
  ])('lets in %s', (_what, headers) => expect(refused(headers)).toBe(false));

  it('lets in the origins that are listed, and no others', () => {
    const page = { host: own, origin: 'http://page.example:8080', 'sec-fetch-site': 'cross-site' };
    expect(refused(page, listing)).toBe(false);
    expect(refused({ ...page, origin: 'http://page.example' }, listing)).toBe(true);
    expect(refused({ ...page, origin: 'https://page.example:8080' }, listing)).toBe(true);
    expect(refused({ host: own, 'sec-fetch-site': 'cross-site' }, listing)).toBe(true);
  });

  it.each([
    ...[
      'evil.example',
      'evil.example:5010',
      'EVIL.example',
      'localhost.evil.example',
      'localhost.',
    ],
    ...['127.0.0.1.evil.example:5010', '127.1', '0x7f.0.0.1', 'a.local', 'user@1.2.3.4', 'a.b:c'],
  ])('refuses the Host %s without tokens', (host) => {
    expect(refused({ host })).toBe(true);
    expect(refused({ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).toBe(true);
    expect(refused({ host }, { ...open, hasTokens: true })).toBe(false);
    expect(refused({ host, origin: 'http://page.example:8080' }, listing)).toBe(true);
  });

  it.each([
    ...[
      'localhost',
      'LOCALHOST:5010',
      'x.localhost:5010',
      '127.0.0.1',
      '192.168.1.7:5010',
      '[::1]',
    ],
    ...['[::ffff:127.0.0.1]:5010', '[fe80::1%eth0]:5010', 'pman', 'pman_1:5010', '', ':5010'],
  ])('lets in the Host %j without tokens', (host) => expect(refused({ host })).toBe(false));

  it('lets in a Host that is listed, on any port', () => {
    expect(refused({ host: 'PMAN.example:5010' }, listing)).toBe(false);
    expect(refused({ host: 'pman.example' }, listing)).toBe(false);
    expect(refused({ host: 'x.pman.example' }, listing)).toBe(true);
  });
});

describe('pageHeaders', () => {
  it('names the origin that asks, when it is listed, and never another', () => {
    const listed = { host: own, origin: 'http://page.example:8080' };
    expect(pageHeaders(listed, listing)).toEqual([
      ['Access-Control-Allow-Origin', 'http://page.example:8080'],
      ['Vary', 'Origin'],
    ]);
    expect(pageHeaders({ host: own, origin: 'http://evil.example' }, listing)).toEqual([
      ['Vary', 'Origin'],
    ]);
    expect(pageHeaders({ host: own }, listing)).toEqual([['Vary', 'Origin']]);
    expect(pageHeaders(listed, open)).toEqual([]);
  });

  it('names every origin where only a token lets in', () => {
    const policy = { allowOrigins: 'every', allowHosts: [], hasTokens: true } as const;
    expect(pageHeaders({ host: own }, policy)).toEqual([['Access-Control-Allow-Origin', '*']]);
  });
});
