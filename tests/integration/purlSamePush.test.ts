import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually, Opened, treeOf } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

/** A folder with many files and a large one. */
function sources(): string {
  const folder = join(opened.folder(), 'from');
  mkdirSync(folder);
  for (let i = 0; i < 1500; i += 1) writeFileSync(join(folder, `f${i}`), `${i}`);
  writeFileSync(join(folder, 'large'), randomBytes(20_000_000));
  return folder;
}

/** A way to a server that breaks off once, when so many bytes have gone there, and lets nobody in until it is mended. */
async function brittleWay(port: number, bytes: number) {
  let isBroken = false;
  let isMended = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (isBroken && !isMended) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    let sent = 0;
    near.on('data', (chunk) => {
      sent += chunk.length;
      if (isBroken || sent < bytes) far.write(chunk);
      else {
        isBroken = true;
        for (const socket of sockets) socket.destroy();
      }
    });
    far.pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.onClose(() => void server.close());
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    isBroken: () => isBroken,
    mend: () => {
      isMended = true;
    },
  };
}

describe('a push', () => {
  it('and another one of the same content at the same time both end well', async () => {
    const from = sources();
    const store = opened.folder();
    const { address } = await opened.pfioh(['--storeBase', store, '--createDirsAsNeeded']);
    const push = () => opened.purl(['push', from, `${address}:to`, '--quiet']);
    const both = await Promise.all([push(), push(), push()]);
    expect(both.map(({ code, stderr }) => [code, stderr])).toEqual(both.map(() => [0, '']));
    expect(Object.keys(treeOf(join(store, 'to')))).toHaveLength(Object.keys(treeOf(from)).length);
  });

  it('whose file changes while it waits for a connection brings it as it is then', async () => {
    const from = sources();
    const store = opened.folder();
    const { address } = await opened.pfioh(['--storeBase', store, '--createDirsAsNeeded']);
    const way = await brittleWay(Number(address.split(':')[1]), 8_000_000);
    const push = opened.purl(['push', from, `${way.address}:to`]);
    await eventually('the connection breaks', way.isBroken);
    appendFileSync(join(from, 'f1'), ' more');
    way.mend();
    expect(await push).toMatchObject({ code: 0 });
    expect(readFileSync(join(store, 'to/f1'), 'utf8')).toBe('1 more');
    expect(readFileSync(join(store, 'to/large')).equals(readFileSync(join(from, 'large')))).toBe(
      true,
    );
  });
});
