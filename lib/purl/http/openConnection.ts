import net from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { messageOf, systemErrorCode } from '../../errors.ts';
import { type FailureKind, PurlFailure } from '../failure.ts';
import { hostOf, portOf } from './target.ts';
import { tunnel } from './tunnel.ts';

/** A certificate of this client, with its key (PEM). */
export interface ClientCert {
  /** Of whom may see it, with its port. */
  readonly host: string;
  readonly files: { readonly cert: Buffer; readonly key: Buffer };
}

export interface ConnectOptions {
  readonly connectTimeoutMs: number;
  /** How often to try again when nobody answers. */
  readonly retries: number;
  /** Accept any certificate. */
  readonly unverifiedCerts: boolean;
  /** The authorities that are trusted (PEM); undefined: those that Node trusts. */
  readonly authorities?: Buffer | undefined;
  /** What is shown to one server, and to no other that it sends us to. */
  readonly clientCert?: ClientCert | undefined;
  readonly proxy?: URL | undefined;
  /** What takes in what is read, in place of the stream; for http alone. */
  readonly onread?: net.OnReadOpts | undefined;
  /** The network interfaces of link-local IPv6 addresses, by address: a URL has no room for them. */
  readonly zones?: ReadonlyMap<string, string>;
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
  const inner =
    options.proxy === undefined
      ? socket
      : await tunnel(url, options.proxy, socket, options.connectTimeoutMs);
  return encrypt(url, inner, options);
}

async function connectPatiently(url: URL, options: ConnectOptions): Promise<net.Socket> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connectOnce(url, options);
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

function connectOnce(
  url: URL,
  { connectTimeoutMs: timeoutMs, zones, onread }: ConnectOptions,
): Promise<net.Socket> {
  const where = `${hostOf(url)} port ${portOf(url)}`;
  return new Promise((resolve, reject) => {
    const zone = zones?.get(hostOf(url));
    const host = zone === undefined ? hostOf(url) : `${hostOf(url)}%${zone}`;
    const socket = net.connect({
      host,
      port: portOf(url),
      noDelay: true,
      ...(onread === undefined ? {} : { onread }),
    });
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
      ...(options.authorities === undefined ? {} : { ca: options.authorities }),
      ...(options.clientCert?.host === url.host ? options.clientCert.files : {}),
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
