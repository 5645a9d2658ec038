import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import {
  type Gateway,
  type GatewayOptions,
  type GatewayReply,
  type GatewayRequest,
  openGateway,
} from '../../lib/gateway/index.ts';
import { silentLogger } from '../../lib/log.ts';

/** Polls until `condition` gives something truthy; fails with `what` after `withinMs` (15 s). */
export async function eventually<T>(
  what: string,
  condition: () => T,
  { withinMs = 15_000, between = () => pause(5) } = {},
): Promise<NonNullable<T>> {
  const until = performance.now() + withinMs;
  for (;;) {
    const value = condition();
    if (value) return value;
    if (performance.now() > until) throw new Error(`not within ${withinMs} ms: ${what}`);
    await between();
  }
}

function pause(waitMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, waitMs));
}

export interface Echo {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly authorization: string | null;
  readonly bodyBytes: number;
  readonly body: string;
}

const jsonType = ['Content-Type', 'application/json'] as const;

export function refusal(status: number, message: string): GatewayReply {
  const body = Buffer.from(JSON.stringify({ status: false, error: { message } }));
  return { status, headers: [jsonType], body };
}

/** What the echo gateway has been asked, for tests that look behind the answer. */
export interface EchoGateway {
  readonly gateway: Gateway;
  readonly port: number;
  readonly requests: GatewayRequest[];
  /** Requests whose client went away before the answer. */
  aborted(): number;
}

/** A gateway whose handler tells what it got; `/slow/MS`, `/big/BYTES`, `/stream`, `/short`, `/throw`, `/badheader`, `/quit` do as named. */
export async function openEcho(options: Partial<GatewayOptions> = {}): Promise<EchoGateway> {
  const requests: GatewayRequest[] = [];
  let aborted = 0;
  const gateway = await openGateway(
    {
      ip: '127.0.0.1',
      port: 0,
      protocol: 'tcp',
      rawmode: true,
      log: silentLogger(),
      refusal,
      ...options,
    },
    async (request) => {
      requests.push(request);
      request.signal.addEventListener('abort', () => {
        aborted += 1;
      });
      return answer(request);
    },
  );
  return { gateway, port: gateway.port, requests, aborted: () => aborted };
}

/** Opens gateways and connections for one test after another; `closeAll` after each. */
export function openings() {
  const gateways: Gateway[] = [];
  const clients: RawClient[] = [];
  return {
    open: async (options?: Partial<GatewayOptions>): Promise<EchoGateway> => {
      const echo = await openEcho(options);
      gateways.push(echo.gateway);
      return echo;
    },
    dial: async (port: number): Promise<RawClient> => {
      const client = await RawClient.open(port);
      clients.push(client);
      return client;
    },
    /** So many at once, none of them waited for. */
    dialAll: (port: number, count: number): readonly RawClient[] => {
      const all = Array.from({ length: count }, () => new RawClient(port));
      clients.push(...all);
      return all;
    },
    closeAll: async (): Promise<void> => {
      for (const client of clients.splice(0)) client.socket.destroy();
      for (const gateway of gateways.splice(0)) await gateway.close();
    },
  };
}

async function answer(request: GatewayRequest): Promise<GatewayReply> {
  const [, verb, argument] = request.target.split('/');
  switch (verb ?? '') {
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, Number(argument)).unref());
      break;
    case 'big':
      return { status: 200, headers: [jsonType], body: Buffer.alloc(Number(argument), 'x') };
    case 'stream':
      return { status: 200, headers: [jsonType], body: Readable.from(['{"a"', ':1}']) };
    case 'short':
      return {
        status: 200,
        headers: [jsonType, ['Content-Length', '100']],
        body: Readable.from(['only this']),
      };
    case 'throw':
      throw new Error('the handler is broken');
    case 'badheader':
      return { status: 200, headers: [['X-Bad', 'a\r\nb']], body: Buffer.alloc(0) };
    case 'quit':
      return { status: 200, headers: [jsonType], body: Buffer.from('{}'), closeAfter: true };
    default:
  }
  const echo: Echo = {
    method: request.method,
    target: request.target,
    version: request.httpVersion,
    headers: request.rawHeaders,
    authorization: request.authorization ?? null,
    bodyBytes: request.body.length,
    body: request.body.toString('utf8', 0, 500),
  };
  return { status: 200, headers: [jsonType], body: Buffer.from(JSON.stringify(echo)) };
}

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** A TCP client that sends what it is told and keeps what comes. */
export class RawClient {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  closed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => this.#chunks.push(chunk));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  static async open(port: number): Promise<RawClient> {
    const client = new RawClient(port);
    await eventually('a connection', () => !client.socket.connecting);
    return client;
  }

  write(bytes: string | Buffer): this {
    this.socket.write(bytes);
    return this;
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Waits for `count` whole answers and returns them. `bodyless`: they answer HEAD. */
  async answers(count: number, { bodyless = false, withinMs = 15_000 } = {}): Promise<Answer[]> {
    return eventually(
      `${count} answers; got ${JSON.stringify(this.received.toString('latin1', 0, 300))}`,
      () => {
        const list = parseAnswers(this.received, bodyless);
        return list.length >= count ? list : undefined;
      },
      { withinMs },
    );
  }

  async answer(options?: { bodyless?: boolean; withinMs?: number }): Promise<Answer> {
    const [first] = await this.answers(1, options);
    if (first === undefined) throw new Error('no answer');
    return first;
  }

  async untilClosed(withinMs = 15_000): Promise<void> {
    await eventually('the server to close the connection', () => this.closed, { withinMs });
  }
}

function parseAnswers(bytes: Buffer, bodyless: boolean): Answer[] {
  const list: Answer[] = [];
  for (let at = 0; ; ) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd < 0) return list;
    const head = bytes.toString('latin1', at, headEnd);
    const status = Number(head.split(' ')[1]);
    let end = headEnd + 4;
    if (!bodyless && status >= 200) {
      if (/^transfer-encoding: chunked$/im.test(head)) {
        const last = bytes.indexOf('0\r\n\r\n', end);
        if (last < 0) return list;
        end = last + 5;
      } else end += Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    }
    if (bytes.length < end) return list;
    list.push({ status, head, body: bytes.toString('utf8', headEnd + 4, end) });
    at = end;
  }
}

/** A POST with a body of that text, as curl would send it. */
export function post(body: string, extra: readonly string[] = [], target = '/api/v1/cmd'): string {
  const head = [`POST ${target} HTTP/1.1`, 'Host: test', ...extra];
  head.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

export function get(target = '/api/v1', extra: readonly string[] = []): string {
  return `${[`GET ${target} HTTP/1.1`, 'Host: test', ...extra].join('\r\n')}\r\n\r\n`;
}
