import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AllowedHosts } from '../../../../lib/webhooks/allowedHosts.ts';

const allows = (list: string, url: string) => {
  try {
    new AllowedHosts(list.split(',')).require(url);
    return true;
  } catch {
    return false;
  }
};

describe('AllowedHosts', () => {
  it.each([
    ['hooks.example.org', 'https://hooks.example.org/x', true],
    ['hooks.example.org', 'https://HOOKS.example.org:443/x', true],
    ['hooks.example.org', 'https://hooks.example.org./x', true],
    ['hooks.example.org', 'http://hooks.example.org/x', false],
    ['hooks.example.org', 'https://hooks.example.org:8443/x', false],
    ['hooks.example.org', 'https://a.hooks.example.org/', false],
    ['hooks.example.org', 'https://hooks.example.org.evil.example/', false],
    ['hooks.example.org:8443', 'https://hooks.example.org:8443/', true],
    ['hooks.example.org:*', 'https://hooks.example.org:1/', true],
    ['http://hooks.example.org', 'http://hooks.example.org/', true],
    ['http://hooks.example.org', 'https://hooks.example.org/', false],
    ['*.example.org', 'https://a.b.example.org/', true],
    ['*.example.org', 'https://example.org/', false],
    ['*.example.org', 'https://badexample.org/', false],
    ['*', 'https://anything.example/', true],
    ['*', 'https://8.8.8.8/', false],
    ['*', 'https://[::1]/', false],
    ['10.0.0.0/8:*', 'https://10.1.2.3:1234/', true],
    ['10.0.0.0/8', 'https://11.1.2.3/', false],
    ['127.0.0.1', 'https://0x7f.1/', true],
    ['127.0.0.1', 'https://[::ffff:127.0.0.1]/', true],
    ['[fd00::/8]', 'https://[fd00::1]/', true],
    ['[::1]:8443', 'https://[::1]:8443/', true],
    ['localhost', 'https://localhost/', true],
    ['localhost', 'https://localhost@evil.example/', false],
    ['localhost', 'file:///etc/passwd', false],
    ['localhost', 'ftp://localhost/', false],
  ])('%s: %s → %s', (list, url, isAllowed) => {
    expect(allows(list, url)).toBe(isAllowed);
  });

  it.each([
    ...['http://', 'a b', 'example.org/path', 'user@example.org', 'example.org:0', ':443'],
    ...['10.0.0.0/33', '[fd00::]/8', 'example..org', '2130706433', '0x7f.1', '*.*', '*example.org'],
    ...['ftp://example.org', 'example.org:99999', '[fe80::1%eth0]'],
  ])('takes %j for no host', (entry) => {
    expect(() => new AllowedHosts([entry])).toThrow('is no host');
  });

  it('takes addresses of the shared Internet, and others only where they are listed', () => {
    const hosts = new AllowedHosts(['*', '10.1.0.0/16']);
    const seen = (address: string) => hosts.allowsAddress(address);
    for (const address of ['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8', '10.1.2.3']) {
      expect([address, seen(address)]).toEqual([address, true]);
    }
    const closed = [
      ...['0.0.0.0', '10.2.0.1', '100.64.0.1', '127.0.0.1', '127.9.9.9', '169.254.169.254'],
      ...['172.16.0.1', '192.0.0.8', '192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
      ...['::', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1', '64:ff9b::7f00:1'],
      ...['fc00::1', 'fd12::1', 'fe80::1', 'fe80::1%lo', 'fec0::1', 'ff02::1', '2001::1'],
      ...['2002:7f00:1::', '2001:db8::1', 'nonsense', ''],
    ];
    for (const address of closed) expect([address, seen(address)]).toEqual([address, false]);
  });

  it('lets nothing of a URL but its host decide', () => {
    const hosts = new AllowedHosts(['hooks.example.org']);
    fc.assert(
      fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
        const { hostname, protocol, port } = new URL(url);
        const isOurs = hostname === 'hooks.example.org' && protocol === 'https:' && port === '';
        expect(
          (() => {
            try {
              return hosts.require(url).hostname === 'hooks.example.org';
            } catch {
              return false;
            }
          })(),
        ).toBe(isOurs);
      }),
    );
  });
});
