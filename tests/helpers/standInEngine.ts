import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { register } from './scope.ts';

type Reply = (path: string, response: ServerResponse) => void;

const json = (response: ServerResponse, status: number, body: unknown) => {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
};

/** What an engine without containers says. */
const empty: Reply = (path, response) => {
  if (path.includes('/containers/json')) json(response, 200, []);
  else if (path.endsWith('/_ping')) response.end('OK');
  else json(response, 404, { message: 'no such thing' });
};

/** Stands for a Docker Engine on a socket: there, out of order, silent or gone. It runs nothing. */
export class StandInEngine {
  readonly #server = createServer((request, response) => this.#reply(request.url ?? '', response));
  #reply: Reply = empty;

  static async at(socket: string): Promise<StandInEngine> {
    const engine = new StandInEngine();
    register({ left: () => undefined, dispose: () => void engine.close() });
    engine.#server.listen(socket);
    await once(engine.#server, 'listening');
    return engine;
  }

  refuse(): void {
    this.#reply = (_, response) => json(response, 500, { message: 'out of order' });
  }

  keepSilent(): void {
    this.#reply = () => {};
  }

  /** It is gone, and its socket with it. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}
