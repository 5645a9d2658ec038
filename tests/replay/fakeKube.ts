import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A call that changes something in the cluster. */
export interface AskedChange {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

const SIDE_CONTAINERS: readonly (string | null)[] = ['init-storage', 'publish'];

/**
 * The API server that the recordings were made with: it runs nothing. Every Job has the status that a case wants, and two pods
 * that have ended well.
 */
export class FakeKube {
  /** The `status` of every Job. */
  status: unknown = { active: 1 };
  hasJobs = true;
  /** Whether pods have the containers of swift. */
  hasSideContainers = true;
  readonly asked: AskedChange[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  /** @param kubeconfig where to write the file that leads here */
  static async start(kubeconfig: string): Promise<FakeKube> {
    const fake = new FakeKube();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    const { port } = fake.#server.address() as AddressInfo;
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'here' },
      clusters: [{ name: 'fake', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'user', user: { token: 'token' } }],
      contexts: [{ name: 'here', context: { cluster: 'fake', user: 'user' } }],
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    return fake;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://cluster');
    const { method = 'GET' } = request;
    const sent = await text(request);
    const body: unknown = sent === '' ? null : JSON.parse(sent);
    if (method !== 'GET') this.asked.push({ method, path, body });
    const send = (status: number, value: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    const refuse = (code: number, reason: string) =>
      send(code, { kind: 'Status', status: 'Failure', code, reason, message: reason });
    const [, , , kind = '', name = '', verb] =
      /^(.*)\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path) ?? [];
    if (kind === 'pods' && verb === 'log') {
      const container = searchParams.get('container');
      if (SIDE_CONTAINERS.includes(container) && !this.hasSideContainers) {
        return refuse(400, 'BadRequest');
      }
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      response.end(`log of ${name}/${container}\n`);
      return;
    }
    if (kind === 'pods' && name === '') return send(200, PODS);
    if (kind === 'jobs' && name !== '') {
      if (!this.hasJobs) return refuse(404, 'NotFound');
      if (method !== 'DELETE') return send(200, { metadata: { name }, status: this.status });
    }
    if (method === 'POST') return send(201, body);
    if (method === 'DELETE') return send(200, { kind: 'Status', status: 'Success' });
    return refuse(404, 'NotFound');
  }
}

const pod = (name: string) => ({
  metadata: { name },
  spec: { containers: [{ name: 'x' }] },
  status: { phase: 'Succeeded' },
});
const PODS = { kind: 'PodList', metadata: {}, items: [pod('pod-a'), pod('pod-b')] };
