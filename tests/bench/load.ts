import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';

export interface LoadOptions {
  readonly port: number;
  readonly host?: string;
  /** Keep-alive connections, each with one request under way. */
  readonly connections: number;
  readonly seconds: number;
  /** The whole request as text, head and body. */
  readonly request: string;
  /** Over TLS, with whatever certificate. */
  readonly tls?: boolean;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  /** Times of single requests in milliseconds. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Answers of another status than 200 and 201, and connections that broke. */
  readonly errors: number;
}

/** Puts load on an HTTP server from a process of its own and says what came of it. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const file = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [...process.execArgv, file, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return JSON.parse(output) as LoadResult;
}

/** A request for `path` with a JSON body, or without one as GET. */
export function httpRequest(path: string, body?: unknown): string {
  if (body === undefined) return `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`;
  const json = JSON.stringify(body);
  const head = ['Host: bench', 'Content-Type: application/json'];
  head.push(`Content-Length: ${Buffer.byteLength(json)}`);
  return `POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${json}`;
}

/** Reads answers off a connection; knows Content-Length framing only. */
class AnswerReader {
  #rest: Buffer = Buffer.alloc(0);
  readonly #heads = new Map<string, { readonly ok: boolean; readonly length: number }>();

  /** The answers that `chunk` completes: true for each with status 200 or 201. */
  *read(chunk: Buffer): Generator<boolean> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const headEnd = bytes.indexOf('\r\n\r\n');
      if (headEnd < 0) break;
      const { ok, length } = this.#head(bytes.toString('latin1', 0, headEnd));
      const end = headEnd + 4 + length;
      if (bytes.length < end) break;
      bytes = bytes.subarray(end);
      yield ok;
    }
    this.#rest = bytes;
  }

  #head(head: string): { readonly ok: boolean; readonly length: number } {
    let known = this.#heads.get(head);
    if (known === undefined) {
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      known = { ok: /^HTTP\/1\.1 20[01]/.test(head), length };
      if (this.#heads.size < 1000) this.#heads.set(head, known);
    }
    return known;
  }
}

async function main(options: LoadOptions): Promise<LoadResult> {
  const { port, host = '127.0.0.1', connections, seconds, tls = false } = options;
  const request = Buffer.from(options.request);
  const times: number[] = [];
  let errors = 0;
  let stopped = false;
  const drive = (socket: Socket): void => {
    const reader = new AnswerReader();
    let sentAt = performance.now();
    socket.on('error', () => {
      errors += 1;
    });
    socket.on('close', () => {
      if (!stopped) errors += 1;
    });
    socket.on('data', (chunk) => {
      for (const ok of reader.read(chunk)) {
        const now = performance.now();
        times.push(now - sentAt);
        if (!ok) errors += 1;
        if (stopped) return;
        sentAt = now;
        socket.write(request);
      }
    });
    socket.write(request);
  };
  const sockets = Array.from({ length: connections }, () =>
    tls
      ? connectTls({ port, host, rejectUnauthorized: false }).setNoDelay()
      : connect({ port, host, noDelay: true }),
  );
  const isOpen = tls ? 'secureConnect' : 'connect';
  await Promise.all(sockets.map((socket) => once(socket, isOpen)));
  const startedAt = performance.now();
  sockets.forEach(drive);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  stopped = true;
  const tookSeconds = (performance.now() - startedAt) / 1000;
  for (const socket of sockets) socket.destroy();
  times.sort((a, b) => a - b);
  return {
    requests: times.length,
    perSecond: Math.round(times.length / tookSeconds),
    medianMs: times[Math.floor(times.length / 2)] ?? 0,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    errors,
  };
}

const asked = process.argv[2];
if (process.argv[1] === fileURLToPath(import.meta.url) && asked !== undefined) {
  process.stdout.write(JSON.stringify(await main(JSON.parse(asked) as LoadOptions)));
}
