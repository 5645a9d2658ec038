import { readFileSync, writeFileSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { Webhook } from 'standardwebhooks';
import type { JobEvent } from '../../lib/events/event.ts';

/** A secret as `--notifyFile` has it. */
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** A message that has come in. */
export interface Received {
  readonly path: string;
  readonly id: string;
  readonly type: string;
  /** The event's own number. */
  readonly seq: number;
  /** The job. */
  readonly job: string;
  readonly data: Pick<JobEvent, 'id' | 'jid'> & Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
  readonly at: number;
  /** The name that was asked for with TLS: false when none was, undefined without TLS. */
  readonly servername: string | false | null | undefined;
}

/** What a receiver does with a message: a status, or an answer of its own. */
export type Reaction = (
  received: Received,
) =>
  | number
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | 'silence'
  | 'cut';

/** The other side of webhooks: an HTTP server that checks each signature as the package of Standard Webhooks does. */
export class Receiver {
  readonly received: Received[] = [];
  /** What was sent without a good signature. */
  readonly forged: unknown[] = [];
  readonly #server: Server | SecureServer;
  readonly #protocol: 'http' | 'https';
  reaction: Reaction;

  private constructor(
    server: Server | SecureServer,
    protocol: 'http' | 'https',
    reaction: Reaction,
  ) {
    this.#server = server;
    this.#protocol = protocol;
    this.reaction = reaction;
  }

  /** @param certificates a folder with cert.pem and key.pem, to take HTTPS alone; undefined: plain HTTP */
  static async open(
    reaction: Reaction = () => 204,
    secret = SECRET,
    certificates?: string,
  ): Promise<Receiver> {
    const verifier = new Webhook(secret);
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { headers, url: path = '' } = request;
        let message: { type: string; data: Received['data'] & { seq: number } };
        try {
          message = verifier.verify(text, headers as Record<string, string>) as typeof message;
        } catch (error) {
          receiver.forged.push(error);
          response.writeHead(401).end();
          return;
        }
        const { type, data } = message;
        const received: Received = {
          ...{ path, type, data, headers, at: Date.now() },
          servername: (request.socket as Partial<TLSSocket>).servername,
          ...{ id: String(headers['webhook-id']), seq: data.seq, job: data.id },
        };
        receiver.received.push(received);
        const answer = receiver.reaction(received);
        if (answer === 'silence') return;
        if (answer === 'cut') request.socket.destroy();
        else if (typeof answer === 'number') response.writeHead(answer).end('thank you');
        else response.writeHead(answer.status, answer.headers).end();
      });
    };
    const server =
      certificates === undefined
        ? createServer(listener)
        : createSecureServer(pair(certificates), listener);
    const protocol = certificates === undefined ? 'http' : 'https';
    const receiver = new Receiver(server, protocol, reaction);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/hook', host = '127.0.0.1'): string {
    return `${this.#protocol}://${host}:${this.port}${path}`;
  }

  /** Shows another certificate from now on. */
  renew(certificates: string): void {
    if (this.#server instanceof SecureServer) this.#server.setSecureContext(pair(certificates));
  }

  /** The types of what has come in, in order. */
  get types(): readonly string[] {
    return this.received.map(({ type }) => type);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const pair = (folder: string) => ({
  cert: readFileSync(join(folder, 'cert.pem')),
  key: readFileSync(join(folder, 'key.pem')),
});

/** Writes a `--notifyFile` and gives its path. */
export function writeNotifyFile(folder: string, more = '', secret = SECRET): string {
  const file = join(folder, 'notify.ini');
  writeFileSync(file, `[SECRETS]\ndefault = ${secret}\n${more}`, { mode: 0o600 });
  return file;
}
