import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import { answerHead, SwitchedProtocol } from '../answerHead.ts';
import type { Answer, Sending, Transport } from '../client/index.ts';

/**
 * Sends the client's requests by Node's own HTTP: it is there in a few milliseconds, while its `fetch` takes 20 to load. It
 * keeps connections for the next request, and none of them keeps the process from ending. Their number has no limit: what
 * is followed holds one as long as it goes on, and the next would wait for it without a word.
 * @param ca the file of the certificates that are believed, beside those that Node knows (https)
 */
export function httpTransport(ca?: string): Transport {
  const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  return async (url, sending) => {
    if (!url.startsWith('https:')) return answerOf(http.request, url, { agent }, sending);
    const https = await import('node:https');
    const own = ca === undefined ? {} : { ca: await certificates(ca) };
    return answerOf(https.request, url, { agent: https.globalAgent, ...own }, sending);
  };
}

/** Given, they replace those that Node knows; so these go along. */
async function certificates(file: string): Promise<readonly string[]> {
  const { rootCertificates } = await import('node:tls');
  const own = readFileSync(file, 'utf8');
  // OpenSSL passes over a file without one: then the server's would be to blame.
  if (!/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(own)) {
    const error = new Error(
      `${file} holds no certificate: that begins with -----BEGIN CERTIFICATE`,
    );
    throw Object.assign(error, { code: 'ERR_NO_CERTIFICATE' });
  }
  return [...rootCertificates, own];
}

async function answerOf(
  request: typeof http.request,
  url: string,
  options: http.RequestOptions,
  { method, headers, body, signal }: Sending,
): Promise<Answer> {
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const sent = request(url, { ...options, method, headers: { ...headers, ...length }, signal });
  const answer = answerHead(sent);
  sent.end(body);
  try {
    return new HttpAnswer(await answer);
  } catch (error) {
    // What answers is there and is no pman: to ask it again is of no use.
    if (error instanceof SwitchedProtocol) return bare(error.status);
    throw error;
  }
}

/** An answer of which there is no more than the status. */
function bare(status: number): Answer {
  return {
    ...{ ok: false, status, headers: { get: () => null }, body: null },
    text: () => Promise.resolve(''),
    arrayBuffer: () => Promise.resolve(new ArrayBuffer(0)),
  };
}

class HttpAnswer implements Answer {
  readonly status: number;
  readonly headers: Answer['headers'];
  readonly #incoming: http.IncomingMessage;

  constructor(incoming: http.IncomingMessage) {
    this.#incoming = incoming;
    this.status = incoming.statusCode ?? 0;
    this.headers = {
      get(name) {
        const value = incoming.headers[name.toLowerCase()];
        return value === undefined ? null : String(value);
      },
    };
    // Broken off by whoever has read enough.
    incoming.on('error', () => {});
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get body(): NonNullable<Answer['body']> {
    const pieces = this.#incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    return {
      getReader: () => ({
        async read() {
          const { done = false, value } = await pieces.next();
          return { done, value };
        },
      }),
    };
  }

  async text(): Promise<string> {
    return (await this.#whole()).toString();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(await this.#whole()).buffer;
  }

  async #whole(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#incoming) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
}
