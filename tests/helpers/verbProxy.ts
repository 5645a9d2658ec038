import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Passes requests on to a server, but for those that are answered here.
 * @param answers whether it answers a request itself
 */
export async function verbProxy(
  port: number,
  answers: (asked: IncomingMessage, answer: ServerResponse) => boolean,
) {
  const server = createServer((asked, answer) => {
    if (answers(asked, answer)) return;
    const { url, method, headers } = asked;
    const there = request({ host: '127.0.0.1', port, path: url, method, headers }, (given) => {
      answer.writeHead(given.statusCode ?? 500, given.headers);
      given.pipe(answer);
    });
    there.on('error', () => asked.socket.destroy());
    asked.socket.once('close', () => there.destroy());
    asked.pipe(there);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
