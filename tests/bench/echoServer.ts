import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openGateway } from '../../lib/gateway/index.ts';
import { silentLogger } from '../../lib/log.ts';

/** About 1.5 KB of JSON made from the request, the work that both servers do. */
export function answerTo(body: Buffer): Buffer {
  const request: unknown = body.length > 0 ? JSON.parse(body.toString('utf8')) : null;
  const lines = Array.from({ length: 20 }, (_, i) => `line ${i} of an answer that has some length`);
  return Buffer.from(JSON.stringify({ status: true, request, lines }, null, 4));
}

/** A bare node:http server with that answer, for comparison. Returns its port. */
export async function startBare(): Promise<number> {
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = answerTo(Buffer.concat(chunks));
      res.writeHead(200, { 'Content-Length': body.length, 'Content-Type': 'application/json' });
      res.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** The gateway with that answer. Returns its port. */
export async function startGateway(): Promise<number> {
  const gateway = await openGateway(
    {
      ip: '127.0.0.1',
      port: 0,
      protocol: 'tcp',
      rawmode: true,
      log: silentLogger(),
      refusal: (status, message) => ({ status, headers: [], body: Buffer.from(message) }),
    },
    async ({ body }) => ({
      status: 200,
      headers: [['Content-Type', 'application/json']],
      body: answerTo(body),
    }),
  );
  return gateway.port;
}

const kind = process.argv[2];
if (kind === 'bare' || kind === 'gateway') {
  const port = await (kind === 'bare' ? startBare() : startGateway());
  process.stdout.write(`${port}\n`);
}
