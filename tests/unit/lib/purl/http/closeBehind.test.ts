import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BulkSocket } from '../../../../../lib/purl/http/bulkSocket.ts';
import { OldHttpSocket } from '../../../../../lib/purl/http/oldHttp.ts';

/** More than an answer takes that nobody reads, and a little that comes behind it. */
const [FIRST, REST] = [40_000, 5000];

/** Closes the connection behind its answer. */
function startServer(): Server {
  return createServer((socket) => {
    socket.once('data', () => {
      const length = `Content-Length: ${FIRST + REST}`;
      socket.write(`HTTP/1.1 200 OK\r\n${length}\r\nConnection: close\r\n\r\n`);
      socket.write('x'.repeat(FIRST));
      setTimeout(() => socket.end('x'.repeat(REST)), 100);
    });
  }).listen(0, '127.0.0.1');
}

const WAYS = {
  'of an old server': (port: number) => new OldHttpSocket(connect(port, '127.0.0.1')),
  'that may be long': (port: number) => {
    const bulk = new BulkSocket();
    const { onread } = bulk;
    return bulk.attach(connect({ port, host: '127.0.0.1', onread }));
  },
};

describe('an answer whose connection is closed behind it', () => {
  let server: Server | undefined;
  let outgoing: ClientRequest | undefined;
  afterEach(() => {
    outgoing?.destroy();
    server?.close();
  });

  it.each(Object.entries(WAYS))('arrives whole at a slow reader: one %s', async (_, connectTo) => {
    server = startServer();
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    outgoing = request({ host: '127.0.0.1', createConnection: () => connectTo(port) }).end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    // Nobody reads it while the rest of it comes, and the end of the connection.
    await sleep(300);
    expect((await buffer(answer)).length).toBe(FIRST + REST);
  });
});
