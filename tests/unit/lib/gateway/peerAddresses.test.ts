import { connect, createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  acceptedConnections,
  addressOf,
  PeerAddresses,
} from '../../../../lib/gateway/peerAddresses.ts';
import { eventually } from '../../../helpers/eventually.ts';

describe('PeerAddresses', () => {
  let table: { inode: string; address: string }[] = [];
  const open = () => new PeerAddresses(80, () => table);

  it('knows where each came from that was asked about before the next came', () => {
    const addresses = open();
    addresses.came(1);
    table = [{ inode: '7', address: 'a' }];
    expect(addresses.of(1)).toEqual(['a']);
    addresses.came(2);
    table = [...table, { inode: '9', address: 'b' }];
    expect(addresses.of(2)).toEqual(['b']);
    expect(addresses.of(1)).toEqual(['a']);
  });

  it('says so when it is one of several', () => {
    const addresses = open();
    addresses.came(1);
    addresses.came(2);
    table = [
      { inode: '7', address: 'a' },
      { inode: '8', address: 'b' },
    ];
    expect(addresses.of(1)).toEqual(['a', 'b']);
    addresses.came(3);
    table = [...table, { inode: '9', address: 'a' }];
    expect(addresses.of(3)).toEqual(['a']);
  });

  it('keeps a socket for the one that is told of later', () => {
    const addresses = open();
    addresses.came(1);
    table = [
      { inode: '7', address: 'a' },
      { inode: '8', address: 'a' },
    ];
    expect(addresses.of(1)).toEqual(['a']);
    addresses.came(2);
    expect(addresses.of(2)).toEqual(['a']);
  });

  it('knows nothing of who has left, or where there is no table', () => {
    const addresses = open();
    table = [];
    addresses.came(1);
    expect(addresses.of(1)).toEqual([]);
    addresses.left(1);
    expect(addresses.of(1)).toEqual([]);
  });
});

it.each([
  ['0100007F', '127.0.0.1'],
  ['0000000000000000FFFF00000100007F', '127.0.0.1'],
  ['00000000000000000000000001000000', '::1'],
  ['B80D0120010002000300040005000600', '2001:db8:2:1:4:3:6:5'],
])('reads the address %s as the tables of Linux have it', (hex, address) => {
  expect(addressOf(hex)).toBe(address);
});

it('finds the connections of a port that somebody has accepted', async () => {
  const server = createServer();
  const accepted = new Promise((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.5' });
  await accepted;
  const found = await eventually(() => {
    const all = acceptedConnections(port);
    return all.length > 0 && all;
  });
  expect(found.map((one) => one.address)).toEqual(['127.0.0.5']);
  client.destroy();
  server.close();
});
