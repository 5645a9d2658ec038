import { connect, createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { PeerAddresses } from '../../../../lib/gateway/peerAddresses.ts';
import { type OwnSocket, ownSockets, readAddress } from '../../../../lib/gateway/peerNames.ts';

describe('PeerAddresses', () => {
  let table: OwnSocket[] = [];
  const open = () => new PeerAddresses(80, () => table);

  it('knows where each came from that was asked about before the next came', () => {
    const addresses = open();
    addresses.came(1);
    table = [{ inode: 7, address: 'a' }];
    expect(addresses.of(1)).toEqual(['a']);
    addresses.came(2);
    table = [...table, { inode: 9, address: 'b' }];
    expect(addresses.of(2)).toEqual(['b']);
    expect(addresses.of(1)).toEqual(['a']);
  });

  it('says so when it is one of several', () => {
    const addresses = open();
    addresses.came(1);
    addresses.came(2);
    table = [
      { inode: 7, address: 'a' },
      { inode: 8, address: 'b' },
    ];
    expect(addresses.of(1)).toEqual(['a', 'b']);
    addresses.came(3);
    table = [...table, { inode: 9, address: 'a' }];
    expect(addresses.of(3)).toEqual(['a']);
  });

  it('keeps a socket for the one that is told of later', () => {
    const addresses = open();
    addresses.came(1);
    table = [
      { inode: 7, address: 'a' },
      { inode: 8, address: 'a' },
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
  ['0200 1F90 0A000001', '10.0.0.1'],
  ['0A00 1F90 00000000 00000000 00000000 0000FFFF 0A000001', '10.0.0.1'],
  ['0A00 1F90 00000000 20010DB8 00010002 00000000 00000005', '2001:db8:1:2::5'],
])('reads the address %s as Linux gives it', (hex, address) => {
  const bytes = Buffer.alloc(128);
  Buffer.from(hex.replaceAll(' ', ''), 'hex').copy(bytes);
  expect(readAddress(bytes)).toEqual({ address, port: 8080 });
});

it('finds the connections of a port that somebody has accepted', async () => {
  const server = createServer();
  const accepted = new Promise((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.5' });
  await accepted;
  const all = ownSockets(port, new Set());
  const found = all.filter((one) => one.address !== undefined);
  expect(found.map((one) => one.address)).toEqual(['127.0.0.5']);
  const seen = new Set(all.map(({ inode }) => inode));
  expect(ownSockets(port, seen).filter((one) => one.address !== undefined)).toEqual([]);
  client.destroy();
  server.close();
});
