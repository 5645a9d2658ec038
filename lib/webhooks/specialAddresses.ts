import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Networks of IPv4 that are no part of the Internet that everybody shares: the IANA registry of special-purpose addresses
 * (RFC 6890), multicast, and what is reserved.
 */
const SPECIAL_V4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
] as const;

/** Of IPv6 only 2000::/3 is given out (RFC 4291); in it these are special: Teredo and others, documentation, 6to4. */
const GLOBAL_V6 = '2000::/3';
const SPECIAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'] as const;

const special = networks([...SPECIAL_V4, ...SPECIAL_V6]);
const global = networks([GLOBAL_V6]);

/** A set of networks in CIDR form. */
export function networks(list: readonly string[]): BlockList {
  const block = new BlockList();
  for (const network of list) {
    const [address = '', bits = ''] = network.split('/');
    block.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return block;
}

/** Whether an address lies in one of the networks. */
export function isIn(block: BlockList, address: string): boolean {
  return block.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/**
 * An address in its plain form: IPv4 that is wrapped in IPv6 (`::ffff:127.0.0.1`) as IPv4, without a zone.
 * @returns undefined for what is no address
 */
export function plainAddress(text: string): string | undefined {
  const address = text.split('%')[0] ?? '';
  if (isIP(address) !== 6) return isIPv4(address) ? address : undefined;
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return canonical;
  const bits = Number.parseInt(high, 16) * 0x1_00_00 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}

/** Whether an address (see `plainAddress`) is one of the shared Internet: not of this host, its network or a special one. */
export function isPublicAddress(address: string): boolean {
  return !isIn(special, address) && (isIPv4(address) || isIn(global, address));
}
