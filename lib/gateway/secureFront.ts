import { TLSSocket } from 'node:tls';
import type { TlsFiles } from '../host/tlsFiles.ts';
import type { Logger } from '../log.ts';
import type { PeerDuplex } from './duplex.ts';
import type { HttpSocket } from './httpSocket.ts';

/** The first byte of every TLS handshake (RFC 8446, 5.1: the record type). */
const HANDSHAKE = 0x16;
/** HTTP/2 is not spoken. */
const PROTOCOLS = ['http/1.1'];

export interface SecureFrontOptions {
  readonly files: TlsFiles;
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** The answer to a client that speaks plain HTTP, and is then left. */
  readonly plainAnswer: Buffer;
  readonly log: Logger;
  readonly onConnection: (socket: HttpSocket) => void;
}

/** Makes an encrypted stream of each connection: what is no handshake, or takes too long, never gets to HTTP. */
export class SecureFront {
  readonly #options: SecureFrontOptions;

  constructor(options: SecureFrontOptions) {
    this.#options = options;
  }

  /** Takes a new connection. */
  accept(peer: PeerDuplex): void {
    const timer = setTimeout(() => peer.destroy(), this.#options.handshakeTimeoutMs);
    peer.once('close', () => clearTimeout(timer));
    const onReadable = () => {
      const first: unknown = peer.read();
      if (!Buffer.isBuffer(first)) return;
      peer.off('readable', onReadable);
      if (first[0] !== HANDSHAKE) {
        this.#refusePlain(peer);
        return;
      }
      peer.unshift(first);
      this.#shakeHands(peer, () => clearTimeout(timer));
    };
    peer.on('readable', onReadable);
  }

  #refusePlain(peer: PeerDuplex): void {
    peer.discardInput();
    peer.write(this.#options.plainAnswer);
    peer.destroySoon();
  }

  #shakeHands(peer: PeerDuplex, done: () => void): void {
    const { files, log, onConnection } = this.#options;
    const secure = new SecureSocket(peer, files);
    secure.on('error', (error) => log.debug('a TLS connection failed', { reason: error.message }));
    secure.once('secure', () => {
      const problem = files.wantsClientCert ? clientProblem(secure) : undefined;
      if (problem !== undefined) {
        log.debug('a client certificate was refused', { reason: problem });
        secure.destroy();
        return;
      }
      done();
      onConnection(secure);
    });
  }
}

/** The server's side of TLS on a connection; the connection itself holds input back and waits for slow readers. */
class SecureSocket extends TLSSocket implements HttpSocket {
  readonly #peer: PeerDuplex;

  constructor(peer: PeerDuplex, { material, wantsClientCert }: TlsFiles) {
    super(peer, {
      isServer: true,
      secureContext: material.context,
      ALPNProtocols: PROTOCOLS,
      requestCert: wantsClientCert,
      rejectUnauthorized: wantsClientCert,
    });
    this.#peer = peer;
    peer.once('close', () => this.destroy());
  }

  discardInput(): void {
    this.#peer.discardInput();
  }

  holdInput(): void {
    this.#peer.holdInput();
  }

  releaseInput(): void {
    this.#peer.releaseInput();
  }

  /** When all is written: not before the peer has had time to read it. */
  override destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.#peer.destroySoon();
    else this.once('finish', () => this.#peer.destroySoon());
  }
}

/**
 * Why a client's certificate is not accepted. node:tls looks at that for servers of its own only, so the question goes
 * to OpenSSL's handle as there (lib/_tls_wrap.js, onServerSocketSecure); without an answer nobody is let in.
 */
function clientProblem(secure: TLSSocket): string | undefined {
  const handle: unknown = Reflect.get(secure, '_handle');
  const ask: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'verifyError') : undefined;
  if (typeof ask !== 'function') return 'it cannot be verified';
  const error: unknown = Reflect.apply(ask, handle, []);
  if (error !== null && error !== undefined) return String(error);
  return secure.getPeerX509Certificate() === undefined ? 'there is none' : undefined;
}
