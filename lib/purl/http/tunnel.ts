import type { Socket } from 'node:net';
import { PurlFailure } from '../failure.ts';
import { headEnd } from './head.ts';
import { MAX_HEAD_BYTES } from './oldHttp.ts';
import { portOf } from './target.ts';

/**
 * Asks an HTTP proxy for a way through to the host of a URL.
 * @throws PurlFailure `proxy` with what it says, when it does not open one; `timeout`
 */
export async function tunnel(
  url: URL,
  proxy: URL,
  socket: Socket,
  timeoutMs: number,
): Promise<Socket> {
  const place = `${url.hostname}:${portOf(url)}`;
  const lines = Object.entries({ Host: place, ...proxyAuthorization(proxy) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`CONNECT ${place} HTTP/1.1\r\n${head}\r\n`);
  const failed = (kind: 'proxy' | 'timeout', why: string) => {
    socket.destroy();
    return new PurlFailure(kind, `proxy ${proxy.host} does not connect to ${place}: ${why}`);
  };
  const answer = await headOf(socket, timeoutMs);
  if (answer === 'timeout') throw failed('timeout', `no answer within ${timeoutMs} ms`);
  if (answer === undefined) throw failed('proxy', 'it closed the connection without an answer');
  const status = /^HTTP\/\d(?:\.\d)? (\d{3})(.*)/.exec(answer);
  if (status === null) throw failed('proxy', 'it does not speak HTTP');
  if (!status[1]?.startsWith('2')) throw failed('proxy', proxyRefusal(`${status[1]}${status[2]}`));
  return socket;
}

/** What a proxy says when it refuses, and what to do about a missing password. */
export function proxyRefusal(status: string): string {
  const said = status.trim();
  return said.startsWith('407')
    ? `${said}; it wants a user: --httpProxy user:password@host:port`
    : said;
}

/** The first line of an answer, when its head has come; what comes behind stays in the socket. */
function headOf(socket: Socket, timeoutMs: number): Promise<string | undefined | 'timeout'> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const end = (result: string | undefined | 'timeout') => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose).pause();
      resolve(result);
    };
    const onClose = () => end(undefined);
    const onData = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      const at = headEnd(seen);
      if (at === undefined) {
        if (seen.length > MAX_HEAD_BYTES) end('');
        return;
      }
      end(/^.*/.exec(seen.toString('latin1'))?.[0]);
      if (at < seen.length) socket.unshift(seen.subarray(at));
    };
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    socket.on('data', onData).once('close', onClose);
  });
}

/** The header that names us to a proxy whose URL has a user. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** A part of a URL without its escapes; a `%` that begins none is meant as it is, as curl takes it. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}
