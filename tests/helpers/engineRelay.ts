import { join } from 'node:path';
import { Child } from './child.ts';
import { engine } from './docker.ts';
import { eventually } from './eventually.ts';
import { checkout } from './startServer.ts';
import { tempDir } from './tempDir.ts';

/** The socket of the engine under test. */
export const engineSocket = (engine ?? '').replace('unix://', '');

/** A way to an engine over TCP that can be cut and laid again, or made silent: stopped, it takes connections in and says nothing. */
export class EngineRelay {
  readonly #socket: string;
  #program: Child;
  #port = '';

  private constructor(socket: string) {
    this.#socket = socket;
    this.#program = this.#start();
  }

  /** @param target a socket, or a port of this host */
  static async to(target = engineSocket): Promise<EngineRelay> {
    const relay = new EngineRelay(target);
    relay.#port = await eventually(() => relay.#program.output.stdout.trim());
    return relay;
  }

  get port(): string {
    return this.#port;
  }

  /** For DOCKER_HOST. */
  get address(): string {
    return `tcp://127.0.0.1:${this.#port}`;
  }

  /** Cuts all connections; new ones are refused. */
  async cut(): Promise<void> {
    this.#program.kill('SIGKILL');
    await this.#program.exited;
  }

  /** Lays it again, at the same address. */
  async restore(): Promise<void> {
    this.#program = this.#start(this.#port);
    await eventually(() => this.#program.output.stdout.trim());
  }

  silence(): void {
    this.#program.kill('SIGSTOP');
  }

  goOn(): void {
    this.#program.kill('SIGCONT');
  }

  #start(...port: readonly string[]): Child {
    const program = [join(checkout, 'tests/fixtures/tcpRelay.mjs'), this.#socket, ...port];
    return new Child([process.execPath, ...program], { cwd: tempDir(), env: process.env });
  }
}
