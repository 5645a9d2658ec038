import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { GatewayReply } from './types.ts';
import { YoungGarbage } from './youngGarbage.ts';

/** The header lines of a reply as node's flat list, with the length of a Buffer body put first when it is missing. */
export function flatHeaders({ status, headers, body }: GatewayReply, close: boolean): string[] {
  const flat: string[] = [];
  const bodyless = status < 200 || status === 204 || status === 304;
  if (Buffer.isBuffer(body) && !bodyless && declaredLength(headers) === undefined) {
    flat.push('Content-Length', String(body.length));
  }
  for (const [name, value] of headers) {
    if (close && name.toLowerCase() === 'connection') continue;
    flat.push(name, value);
  }
  if (close) flat.push('Connection', 'close');
  return flat;
}

function declaredLength(headers: GatewayReply['headers']): number | undefined {
  for (const [name, value] of headers) {
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(value);
  }
  return undefined;
}

/**
 * Hands a reply to node:http. A stream is awaited, and must hold what its Content-Length says, else
 * the connection is broken off and the promise rejects: a client must not take a part for the whole.
 */
export async function sendReply(
  res: ServerResponse,
  reply: GatewayReply,
  client?: { readonly signal: AbortSignal },
): Promise<void> {
  const { status, body } = reply;
  const close = reply.closeAfter === true || !res.shouldKeepAlive;
  res.sendDate = false;
  // Without this node adds Connection and Keep-Alive of its own.
  res.removeHeader('connection');
  const flat = flatHeaders(reply, close);
  if (!close && res.req.httpVersion === '1.0') flat.push('Connection', 'keep-alive');
  res.writeHead(status, flat);
  if (Buffer.isBuffer(body)) {
    res.end(body);
  } else if (res.req.method === 'HEAD') {
    body.destroy();
    res.end();
  } else {
    // A response that waits behind another one is not told when its connection closes: the signal is.
    const options = client === undefined ? {} : { signal: client.signal };
    await pipeline(measured(body, declaredLength(reply.headers)), res, options);
  }
}

async function* measured(
  body: Readable,
  expectedBytes: number | undefined,
): AsyncGenerator<Buffer | string> {
  const garbage = new YoungGarbage();
  let sentBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.byteLength(chunk);
    sentBytes += bytes;
    garbage.passed(bytes);
    if (expectedBytes !== undefined && sentBytes > expectedBytes) break;
    yield chunk;
  }
  if (expectedBytes !== undefined && sentBytes !== expectedBytes) {
    throw new Error(`the answer's body is not of the ${expectedBytes} bytes its head promised`);
  }
}

/** A whole answer as bytes, for a connection whose request node could not make sense of. It always closes. */
export function replyBytes(reply: GatewayReply): Buffer {
  const flat = flatHeaders(reply, true);
  let head = `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? 'Error'}\r\n`;
  for (let i = 0; i < flat.length; i += 2) head += `${flat[i]}: ${flat[i + 1]}\r\n`;
  const body = Buffer.isBuffer(reply.body) ? reply.body : Buffer.alloc(0);
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]);
}
