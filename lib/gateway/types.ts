import type { Readable } from 'node:stream';
import type { Soon } from '../concurrency/soon.ts';
import type { TlsFiles } from '../host/tlsFiles.ts';
import type { Logger } from '../log.ts';

/** One complete request, whatever way it came in (raw HTTP or a native ZeroMQ message). */
export interface GatewayRequest {
  /** As sent: 'GET', 'POST', …; never changed in case. */
  readonly method: string;
  /** The request target as sent, query and all. */
  readonly target: string;
  /** '1.1' or '1.0'. */
  readonly httpVersion: string;
  /** Name and value of each header, in the order and the case they were sent in. */
  readonly rawHeaders: readonly (readonly [string, string])[];
  /**
   * The same object for all requests with the same header lines, where the gateway knows these: what is worked out of the lines can
   * be kept with it.
   */
  readonly lines?: object | undefined;
  /** The value of the real Authorization header, whatever the case of its name. */
  readonly authorization: string | undefined;
  /**
   * The addresses that it may come from: one, or several when that is not certain. Left out or empty: it is not known.
   */
  readonly from?: readonly string[];
  /** The whole body; empty when there is none. */
  readonly body: Buffer;
  /** Aborted when the client goes away before its answer is out. */
  readonly signal: AbortSignal;
}

/** Whether the body of a reply still comes. */
export function isStream(body: GatewayReply['body']): body is Readable {
  return typeof body !== 'string' && !Buffer.isBuffer(body);
}

/** What is known of a request before its body comes. */
export type RequestHead = Pick<
  GatewayRequest,
  'method' | 'target' | 'httpVersion' | 'rawHeaders' | 'lines' | 'authorization' | 'from'
>;

/** What is sent back. */
export interface GatewayReply {
  readonly status: number;
  /** Sent in this order and case. A body that is no stream gets a Content-Length, put first, where there is none. */
  readonly headers: readonly (readonly [string, string])[];
  /** Text is sent as UTF-8. A stream goes out chunked, unless the headers hold its Content-Length. */
  readonly body: Buffer | string | Readable;
  /** How many bytes a text is, where that is known. */
  readonly bytes?: number;
  /** Close the connection once this answer is out. */
  readonly closeAfter?: boolean;
}

/**
 * Looks at the head of a request: undefined lets it in, an answer turns it away. With a promise, the requests behind it
 * on its connection wait.
 */
export type Admission = (head: RequestHead) => Soon<GatewayReply | undefined>;
/** Most answers are there at once: then no promise is made. */
export type RequestHandler = (request: GatewayRequest) => Soon<GatewayReply>;

/** Bounds on what one client may cost. Times in milliseconds. */
export interface HttpLimits {
  /** Larger bodies are answered 413. Bytes. */
  readonly maxBodyBytes: number;
  /** Of all bodies held at once, on all connections; a request that would need more is answered 503. Bytes. */
  readonly maxHeldBytes: number;
  /** A larger request line and headers together are answered 431. Bytes. */
  readonly maxHeaderBytes: number;
  /** From the connection to its first byte, and from the first byte of a request to the end of its headers; else 408. */
  readonly headersTimeoutMs: number;
  /** No byte of a body for this long: 408. */
  readonly stallTimeoutMs: number;
  /** From the first byte of a request to the last of its body; else 408. */
  readonly requestTimeoutMs: number;
  /** A connection without a request is closed after this long. */
  readonly keepAliveTimeoutMs: number;
  /** A client that takes no byte of its answer for this long is dropped. */
  readonly writeTimeoutMs: number;
}

export const defaultHttpLimits: HttpLimits = Object.freeze({
  maxBodyBytes: 64 * 1024 * 1024,
  maxHeldBytes: 512 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  stallTimeoutMs: 15_000,
  requestTimeoutMs: 600_000,
  keepAliveTimeoutMs: 300_000,
  writeTimeoutMs: 60_000,
});

export interface GatewayOptions {
  /** An address, '*' for all of them, the name of this host or of a network interface. */
  readonly ip: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** A ZeroMQ transport; 'tcp'. */
  readonly protocol: string;
  /** True: HTTP on a raw socket. False: ZeroMQ messages from REQ and DEALER clients. */
  readonly rawmode: boolean;
  /** Speaks TLS; only in raw mode. */
  readonly tls?: TlsFiles | undefined;
  readonly limits?: Partial<HttpLimits>;
  readonly log: Logger;
  /** Whether requests are to tell where they come from (RequestHead.from); that costs a little. Default: no. */
  readonly tellsAddresses?: boolean;
  /**
   * The answer to bytes that are no acceptable HTTP request (400, 405, 408, 413, 417, 429, 431, 503), and to a handler that threw
   * (500); `target` is what was asked for, where that is known.
   */
  readonly refusal: (status: number, message: string, target?: string) => GatewayReply;
  /**
   * Looks at the head of a request before its body is read. What it refuses the handler does not see, and its body is
   * thrown away. Default: everything is let in.
   */
  readonly admit?: Admission;
}

export interface Gateway {
  /** Where it listens, such as tcp://127.0.0.1:5010, with TLS https://127.0.0.1:5010. */
  readonly endpoint: string;
  readonly port: number;
  /**
   * Takes no further request, lets the answers that are under way go out for up to `graceMs`
   * (default 500), closes every connection and frees the port. Never rejects; a second call waits for the first.
   */
  close(graceMs?: number): Promise<void>;
}
