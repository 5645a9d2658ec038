import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { HttpFront } from './httpFront.ts';
import { replyBytes } from './httpReply.ts';
import { NativeFront } from './native.ts';
import { connectionLimit } from './openFiles.ts';
import { PeerAddresses } from './peerAddresses.ts';
import { portFreed } from './portFreed.ts';
import { RawFront } from './rawFront.ts';
import { bindRouter, FrontRouter, RawRouter } from './rawRouter.ts';
import { SecureFront } from './secureFront.ts';
import {
  defaultHttpLimits,
  type Gateway,
  type GatewayOptions,
  type RequestHandler,
} from './types.ts';

export * from './types.ts';

const DEFAULT_GRACE_MS = 500;
const LINGER_MS = 100;

/**
 * Opens the front of pman: an HTTP server (or, with `rawmode` false, one for ZeroMQ messages) on a
 * ROUTER socket, which hands every complete request to `handler`.
 * Rejects with a PmanError('unavailable') when it cannot listen there.
 */
export async function openGateway(
  options: GatewayOptions,
  handler: RequestHandler,
): Promise<Gateway> {
  const { log, refusal, admit, protocol, port, rawmode, tls } = options;
  const limits = { ...defaultHttpLimits, ...options.limits };
  const host = await numericHost(options.ip);
  const ipv6 = isIP(host) === 6;
  const ip = ipv6 ? `[${host}]` : host;
  const Socket = rawmode ? RawRouter : FrontRouter;
  const router = new Socket({ writeTimeoutMs: limits.writeTimeoutMs, ipv6 });
  if (!rawmode) {
    router.maxMessageSize = limits.maxBodyBytes + limits.maxHeaderBytes;
    router.handshakeInterval = limits.headersTimeoutMs;
  }
  const boundPort = await bindRouter(router, { protocol, ip, port });
  const http = new HttpFront({ limits, log, refusal, admit, handler });
  const secure =
    tls &&
    new SecureFront({
      files: tls,
      handshakeTimeoutMs: limits.headersTimeoutMs,
      plainAnswer: replyBytes(refusal(400, 'This port speaks TLS: ask with https://.')),
      log,
      onConnection: (socket) => http.attach(socket),
    });
  const full = replyBytes(refusal(503, 'Too many connections are open; try again later.'));
  const front = rawmode
    ? new RawFront(router, {
        limits: {
          maxUnreadBytes: limits.maxBodyBytes + limits.maxHeaderBytes,
          writeTimeoutMs: limits.writeTimeoutMs,
        },
        maxConnections: connectionLimit(),
        // A TLS client could not read it.
        full: secure === undefined ? full : undefined,
        addresses: options.tellsAddresses ? await peerAddresses(boundPort, log) : undefined,
        log,
        onConnection: (peer) => (secure === undefined ? http.attach(peer) : secure.accept(peer)),
      })
    : new NativeFront(router, { limits, log, refusal, admit, handler, http });
  front.start();

  const shut = async (graceMs: number): Promise<void> => {
    front.refuseNew();
    await Promise.all([http.stop(graceMs), front.idle(graceMs)]);
    await front.close(LINGER_MS);
    await portFreed(host, boundPort);
  };
  let closing: Promise<void> | undefined;
  return {
    endpoint: `${tls === undefined ? protocol : 'https'}://${ip}:${boundPort}`,
    port: boundPort,
    close: (graceMs = DEFAULT_GRACE_MS) => {
      closing ??= shut(graceMs);
      return closing;
    },
  };
}

/** Who can tell where connections come from. The library behind it is loaded only for that, and need not be there. */
async function peerAddresses(port: number, log: Logger): Promise<PeerAddresses | undefined> {
  try {
    const { ownSockets } = await import('./peerNames.ts');
    return new PeerAddresses(port, ownSockets);
  } catch (error) {
    log.warn('the addresses of clients are not known', { reason: messageOf(error) });
    return undefined;
  }
}

/** ZeroMQ binds to numbers and interface names; a host name is looked up here. */
async function numericHost(ip: string): Promise<string> {
  if (isIP(ip) !== 0 || ip === '*') return ip;
  try {
    return (await lookup(ip)).address;
  } catch {
    // Perhaps the name of a network interface; if not, the bind says so.
    return ip;
  }
}
