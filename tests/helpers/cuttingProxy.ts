import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { register } from './scope.ts';

/** A way to a server that breaks every connection again and again, as bad networks and proxies do. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;
  #cuts = 0;

  private constructor(target: number, everyMs: number) {
    this.#server = createServer((client) => {
      const upstream = connect(target, '127.0.0.1');
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    this.#timer = setInterval(() => this.cut(), everyMs);
    register({ left: () => undefined, dispose: () => this.close() });
  }

  static async to(port: number, everyMs: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(port, everyMs);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How often connections were broken. */
  get cuts(): number {
    return this.#cuts;
  }

  cut(): void {
    if (this.#sockets.size > 0) this.#cuts += 1;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    clearInterval(this.#timer);
    this.cut();
    this.#server.close();
  }
}
