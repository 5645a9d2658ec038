import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { oneByOne } from '../../../../lib/pfioh/sentAhead.ts';
import { Wire } from '../../../helpers/http.ts';

it.each([
  [true, ['/1']],
  [false, ['/1', '/2']],
])(
  'requests that were sent ahead: where the first answer closes (%s) these are served: %j',
  async (closes, expected) => {
    const served: string[] = [];
    const server = createServer(
      oneByOne((request, response) => {
        served.push(request.url ?? '');
        // As where the client is slow to take the answer: the socket is still there when the next one may begin.
        const { socket } = request;
        socket.destroySoon = () => setTimeout(() => socket.destroy(), 300);
        if (closes) response.setHeader('Connection', 'close');
        response.end('x');
      }),
    ).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const wire = await Wire.open((server.address() as AddressInfo).port);
    await wire.send('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await wire.answer())?.status).toBe(200);
    if (closes) expect(await wire.answer()).toBeNull();
    else expect((await wire.answer())?.status).toBe(200);
    wire.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(served).toEqual(expected);
  },
);
