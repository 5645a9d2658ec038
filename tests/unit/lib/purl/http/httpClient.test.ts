import { createServer } from 'node:net';
import { expect, it } from '@jest/globals';
import { send } from '../../../../../lib/purl/http/httpClient.ts';

const listening = (server: ReturnType<typeof createServer>) =>
  new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : 0);
    });
  });

it('closes the connection whatever goes wrong while a request is made', async () => {
  const server = createServer((socket) => socket.resume());
  const closed = new Promise<void>((resolve) => {
    server.once('connection', (socket) => socket.once('close', () => resolve()));
  });
  const url = new URL(`http://127.0.0.1:${await listening(server)}/`);
  const client = {
    ...{ connectTimeoutMs: 5000, idleTimeoutMs: 0, retries: 0, unverifiedCerts: false },
    headers: [['a', 'b\nc']] as const,
    givenHeaders: [],
  };
  await expect(send({ method: 'GET', url }, client)).rejects.toMatchObject({ kind: 'usage' });
  await closed;
  await new Promise((resolve) => server.close(resolve));
});
