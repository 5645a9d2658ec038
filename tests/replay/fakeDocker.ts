import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';

/** A container that was asked for: what of it the recordings tell. */
export interface AskedContainer {
  readonly Image: string;
  readonly Cmd: readonly string[];
  readonly Binds: readonly string[];
}

/**
 * The engine that the recordings were made with: it runs nothing, and answers for manager containers and for the one
 * container of every service what a case wants.
 */
export class FakeDocker {
  /** What a manager container prints for `--state`. */
  state: unknown = {};
  appLogs = 'app says hello\n';
  refusesContainers = false;
  readonly asked: AskedContainer[] = [];
  readonly #server: Server;
  readonly #managers: (readonly string[])[] = [];
  readonly #services = new Set<string>();

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  static async start(socket: string): Promise<FakeDocker> {
    const fake = new FakeDocker();
    await new Promise<void>((resolve) => fake.#server.listen(socket, resolve));
    return fake;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://engine').pathname;
    const [, kind = '', id = '', verb = ''] = path.replace(/^\/v[\d.]+/, '').split('/');
    const send = (status: number, value: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(value === undefined ? '' : JSON.stringify(value));
    };
    const absent = () => send(404, { message: `no such ${path}` });
    if (kind === 'containers' && id === 'create') return this.#create(request, send);
    if (kind === 'containers') return this.#container(request, response, { id, verb, send });
    if (kind === 'images') return send(200, { Id: 'sha256:0', Config: {} });
    if (kind === 'services' && id === '') {
      return send(200, [...this.#services].map(serviceOf));
    }
    if (kind === 'services' && this.#services.has(id)) return send(200, serviceOf(id));
    return absent();
  }

  async #create(
    request: IncomingMessage,
    send: (status: number, value: unknown) => void,
  ): Promise<void> {
    const { Image, Cmd, HostConfig } = (await json(request)) as AskedContainer & {
      readonly HostConfig: { readonly Binds: readonly string[] };
    };
    this.asked.push({ Image, Cmd, Binds: HostConfig.Binds });
    if (this.refusesContainers) return send(500, { message: 'service name conflict' });
    this.#managers.push(Cmd);
    send(201, { Id: `mgr${this.#managers.length}`, Warnings: [] });
  }

  #container(
    request: IncomingMessage,
    response: ServerResponse,
    {
      id,
      verb,
      send,
    }: { id: string; verb: string; send: (status: number, value?: unknown) => void },
  ): void {
    const command = this.#managers[Number(id.replace('mgr', '')) - 1];
    if (request.method === 'DELETE') {
      send(204);
      return;
    }
    switch (verb) {
      case 'start':
        if (command?.[1] === '-s') this.#services.add(command[2] ?? '');
        if (command?.[1] === '--remove') this.#services.delete(command[2] ?? '');
        send(204);
        return;
      case 'wait':
        send(200, { StatusCode: 0 });
        return;
      case 'json':
        send(200, { Id: id, Config: { Tty: false }, State: { Status: 'exited' } });
        return;
      case 'logs': {
        const printed = command?.[1] === '--state' ? `${JSON.stringify(this.state)}\n` : '';
        response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
        response.end(frame(command === undefined ? this.appLogs : printed));
        return;
      }
      default:
        send(404, { message: `no such ${verb}` });
    }
  }
}

const serviceOf = (name: string) => ({ ID: `svc-${name}`, Spec: { Name: name } });

/** A chunk of stdout as the engine frames it. */
function frame(text: string): Buffer {
  const head = Buffer.alloc(8);
  head[0] = 1;
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return text === '' ? Buffer.alloc(0) : Buffer.concat([head, Buffer.from(text)]);
}
