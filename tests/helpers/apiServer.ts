import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { KubeClient } from '../../openshift/client.ts';
import { Credentials } from '../../openshift/credentials.ts';
import { tempDir } from './tempDir.ts';

/** API servers of a cluster that answer what a test wants, for the tests of one file. */
export class ApiServers {
  readonly #servers: Server[] = [];

  /** A client of one that answers so. */
  async clientOf(answer: RequestListener): Promise<KubeClient> {
    const server = createServer(answer);
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // it listens on a port
    const file = join(tempDir(), 'kubeconfig');
    const config = {
      'current-context': 'x',
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    };
    writeFileSync(file, JSON.stringify(config));
    return new KubeClient(new Credentials(file), 'ns');
  }

  close(): void {
    for (const server of this.#servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  }
}
