import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

/**
 * The limit that pman's front is held against: node:http on a plain socket, doing the JSON work of the same answer:
 * the body parsed, the whole reply made and written with an indent of four. With a certificate and a key as arguments it
 * is node:https.
 */
const jobState = {
  '0.container': { jobRoot: 'bench', tree: null },
  '0.start': { jobRoot: 'bench', startTrigger: [true] },
  '0.end': { jobRoot: 'bench', returncode: [0] },
  l_status: ['finishedSuccessfully'],
  l_logs: [],
};

const answer: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    const { payload } = JSON.parse(body) as {
      payload: { action: string; meta: Record<string, unknown> };
    };
    const head = [`${request.method} ${request.url} HTTP/1.1\r`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      head.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}\r`);
    }
    const reply = {
      status: true,
      RESTheader: head[0],
      RESTverb: request.method,
      action: payload.action,
      path: request.url,
      receivedByServer: [...head, '\r', body],
      client_json_payload: body,
      client_json_len: body.length,
      payloadsize: body.length,
      meta: payload.meta,
      d_ret:
        payload.action === 'status'
          ? jobState
          : { name: 'bare', version: '1', timestamp: { now: new Date().toISOString() } },
    };
    const text = Buffer.from(JSON.stringify(reply, null, 4));
    response.setHeader('Content-Length', text.length);
    response.setHeader('Content-Type', 'application/json');
    response.end(text);
  });
};

const [cert, key] = process.argv.slice(2);
const server =
  cert === undefined || key === undefined
    ? createServer(answer)
    : createSecureServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer);

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' && address !== null ? address.port : address);
});
