import { request } from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { messageOf, systemErrorCode } from '../../errors.ts';
import { type FailureKind, PurlFailure } from '../failure.ts';
import { hostOf, portOf } from './target.ts';

export interface ConnectOptions {
  readonly connectTimeoutMs: number;
  /** How often to try again when nobody answers. */
  readonly retries: number;
  /** Accept any certificate. */
  readonly unverifiedCerts: boolean;
  readonly proxy?: URL | undefined;
}

const FIRST_PAUSE_MS = 250;

/**
 * A connection to the host of a URL, through the proxy if there is one, encrypted for https. Only
 * connecting is tried again: nothing was sent yet.
 * @throws PurlFailure `resolve`, `connect`, `timeout`, `tls` or `proxy`
 */
export async function openConnection(url: URL, options: ConnectOptions): Promise<Duplex> {
  const socket = await connectPatiently(options.proxy ?? url, options);
  if (url.protocol === 'http:') return socket;
  const inner = options.proxy === undefined ? socket : await tunnel(url, options.proxy, socket);
  return encrypt(url, inner, options);
}

async function connectPatiently(url: URL, options: ConnectOptions): Promise<net.Socket> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connectOnce(url, options.connectTimeoutMs);
    } catch (error) {
      if (attempt >= options.retries) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** attempt);
    }
  }
}

/** A connection may break when nobody is using it: without a listener that would end the process. */
function tolerate(socket: Duplex): void {
  socket.on('error', () => {});
}

function connectOnce(url: URL, timeoutMs: number): Promise<net.Socket> {
  const where = `${hostOf(url)} port ${portOf(url)}`;
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: hostOf(url), port: portOf(url), noDelay: true });
    tolerate(socket);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new PurlFailure('timeout', `no connection to ${where} within ${timeoutMs} ms`));
    }, timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.setKeepAlive(true, 15_000);
      resolve(socket);
    });
    socket.once('error', (cause) => {
      clearTimeout(timer);
      const code = systemErrorCode(cause) ?? messageOf(cause);
      const unknown = code === 'ENOTFOUND' || code === 'EAI_AGAIN';
      const kind: FailureKind = unknown ? 'resolve' : 'connect';
      const what = unknown ? `cannot resolve host ${hostOf(url)}` : `cannot connect to ${where}`;
      reject(new PurlFailure(kind, `${what}: ${code}`, { cause }));
    });
  });
}

/** Asks an HTTP proxy for a way through to an https server. */
function tunnel(url: URL, proxy: URL, socket: net.Socket): Promise<Duplex> {
  const path = `${url.hostname}:${portOf(url)}`;
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) => {
      socket.destroy();
      reject(
        new PurlFailure('proxy', `proxy ${proxy.host} does not connect to ${path}: ${why}`, {
          cause,
        }),
      );
    };
    const ask = request({
      method: 'CONNECT',
      path,
      headers: { host: path, ...proxyAuthorization(proxy) },
      createConnection: () => socket,
    });
    ask.once('connect', (answer) => {
      if (answer.statusCode === 200) resolve(socket);
      else fail(`${answer.statusCode} ${answer.statusMessage}`);
    });
    ask.once('response', (answer) => fail(`${answer.statusCode} ${answer.statusMessage}`));
    ask.on('error', (error) => fail(messageOf(error), error));
    ask.end();
  });
}

/** The header that names us to a proxy whose URL has a user. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** How OpenSSL calls an answer that is not TLS. */
const PLAIN_ANSWERS: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_UNKNOWN_PROTOCOL',
]);

function encrypt(url: URL, socket: Duplex, options: ConnectOptions): Promise<tls.TLSSocket> {
  const host = hostOf(url);
  return new Promise((resolve, reject) => {
    const secure = tls.connect({
      socket,
      host,
      rejectUnauthorized: !options.unverifiedCerts,
      ...(net.isIP(host) === 0 ? { servername: host } : {}),
    });
    tolerate(secure);
    const timer = setTimeout(() => {
      secure.destroy();
      reject(
        new PurlFailure('timeout', `no TLS with ${url.host} within ${options.connectTimeoutMs} ms`),
      );
    }, options.connectTimeoutMs);
    secure.once('secureConnect', () => {
      clearTimeout(timer);
      resolve(secure);
    });
    secure.once('error', (cause) => {
      clearTimeout(timer);
      secure.destroy();
      const why = PLAIN_ANSWERS.has(systemErrorCode(cause) ?? '')
        ? `${url.host} does not speak TLS; perhaps http:// is meant`
        : `no TLS with ${url.host}: ${messageOf(cause)}`;
      reject(new PurlFailure('tls', why, { cause }));
    });
  });
}
