import { createServer } from 'node:http';
import { RawRouter } from '../../lib/gateway/rawRouter.ts';

/**
 * One answer of 1,500 bytes to whatever comes, over ZeroMQ's raw ROUTER (no HTTP is looked at) or by node:http: what a server on that
 * socket could reach at most. Usage: bareSocket.ts router | http
 */
const body = Buffer.alloc(1500, 'a');
const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;

if (process.argv[2] === 'http') {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { 'Content-Length': body.length });
      response.end(body);
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    console.log(typeof address === 'object' && address !== null ? address.port : address);
  });
} else {
  const router = new RawRouter({ writeTimeoutMs: 60_000 });
  await router.bind('tcp://127.0.0.1:*');
  console.log(router.lastEndpoint?.split(':').at(-1));
  const done = () => undefined;
  const answer = Buffer.concat([Buffer.from(head), body]);
  for (;;) {
    const [id, bytes] = await router.receive();
    if (id === undefined || bytes === undefined || bytes.length === 0) continue;
    router.offer([id, answer], done, done);
  }
}
