import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { startFileServer } from '../../../../lib/modules/pfiohServer.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const POST = 'POST /api/v1/cmd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"com';

it.each([
  ['no request yet', ''],
  ['half a head', 'GET /api/v1/cmd HT'],
  ['half a body', POST],
])(
  'a client that has sent %s does not hold up the end',
  async (_what, bytes) => {
    const server = await startFileServer({ storeBase: tempDir(), port: 0, ip: '127.0.0.1' });
    const socket = connect(server.port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.resume().write(bytes);
    await sleep(300);
    const startedAt = Date.now();
    await server.close();
    expect(Date.now() - startedAt).toBeLessThan(8000);
    socket.destroy();
  },
  20_000,
);

it('a client that goes on to send is waited for', async () => {
  const server = await startFileServer({ storeBase: tempDir(), port: 0, ip: '127.0.0.1' });
  const socket = connect(server.port, '127.0.0.1').on('error', () => {});
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  const body = '{"action":"hello","meta":{"askAbout":"timestamp"}}';
  socket.write(
    `POST /api/v1/cmd HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  await sleep(300);
  const closed = server.close();
  for (let at = 0; at < body.length; at += 10) {
    socket.write(body.slice(at, at + 10));
    await sleep(800);
  }
  await closed;
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
}, 20_000);
