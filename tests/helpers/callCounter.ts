import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The beginning of a request: its method, and its path without the engine's version and the query. */
const REQUEST = /^([A-Z]+) (?:\/v[\d.]+)?(\/[^ ?]*)[^ ]* HTTP\/1\.1\r\n/;
/** What stands in a path for one service, container, task or image. */
const ONE = /^\/(services|containers|tasks|images)\/(?!create$|json$)[^/]+/;

/** A way to an engine's socket that counts the calls: 'DELETE /services/ONE'. A chunk that begins as a request does is one. */
export class CallCounter {
  readonly #folder = mkdtempSync(join(tmpdir(), 'calls-'));
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #counts = new Map<string, number>();

  private constructor(target: string) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const engine = connect({ path: target, allowHalfOpen: true });
      client.on('data', (chunk) => this.#count(chunk));
      client.pipe(engine).pipe(client);
      for (const [end, other] of [
        [client, engine],
        [engine, client],
      ] as const) {
        this.#sockets.add(end);
        end.on('error', () => other.destroy());
        end.on('close', () => {
          this.#sockets.delete(end);
          other.destroy();
        });
      }
    });
  }

  /** @param target the engine's socket */
  static async to(target: string): Promise<CallCounter> {
    const counter = new CallCounter(target);
    await new Promise<void>((resolve) => counter.#server.listen(counter.#path, resolve));
    return counter;
  }

  /** For DOCKER_HOST. */
  get address(): string {
    return `unix://${this.#path}`;
  }

  /** How many calls there were since the last reset, by kind. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a.localeCompare(b)));
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  reset(): void {
    this.#counts.clear();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.#folder, 'engine.sock');
  }

  #count(chunk: Buffer): void {
    const [, method, path = ''] = REQUEST.exec(chunk.toString('latin1', 0, 2048)) ?? [];
    if (method === undefined) return;
    const kind = `${method} ${path.replace(ONE, '/$1/ONE')}`;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }
}
