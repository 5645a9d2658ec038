import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../lib/log.ts';
import { KubeClient } from '../../../openshift/client.ts';
import { Credentials } from '../../../openshift/credentials.ts';
import { jobSchema } from '../../../openshift/objects.ts';
import { Reflector } from '../../../openshift/reflector.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/tempDir.ts';

describe('Reflector', () => {
  let server: Server | undefined;
  const over = new AbortController();
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  /** A client of an API server that answers so. */
  async function clientOf(answer: RequestListener): Promise<KubeClient> {
    server = createServer(answer);
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
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
  const job = (name: string, resourceVersion: string) => ({
    metadata: { name, uid: name, resourceVersion },
  });
  const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;

  it('goes on from the last version when a watch ends, and lists again when that is gone', async () => {
    const asked: string[] = [];
    const answers = [
      JSON.stringify({ metadata: { resourceVersion: '10' }, items: [job('a', '9')] }),
      line('ADDED', job('b', '11')) + line('BOOKMARK', { metadata: { resourceVersion: '15' } }),
      line('ERROR', { code: 410, message: 'too old resource version' }),
      JSON.stringify({ metadata: { resourceVersion: '20' }, items: [job('c', '19')] }),
    ];
    const client = await clientOf(({ url = '' }, response) => {
      asked.push(new URL(url, 'http://x').searchParams.get('resourceVersion') ?? 'list');
      const answer = answers.shift();
      if (answer === undefined) response.flushHeaders();
      else response.end(answer);
    });
    const seen: string[] = [];
    const reflector = new Reflector({
      ...{ client, kind: 'jobs', query: {}, schema: jobSchema, log: silentLogger() },
      onList: (all) => seen.push(`list ${all.objects.map(({ metadata }) => metadata.name)}`),
      onChange: ({ metadata }, isGone) => seen.push(`${isGone ? '-' : '+'}${metadata.name}`),
    });
    const running = reflector.run(over.signal, () => undefined);
    await eventually(() => asked.length === 5 && reflector.isWatching);
    over.abort();
    await running;
    expect(asked).toEqual(['list', '10', '15', 'list', '20']);
    expect(seen).toEqual(['list a', '+b', 'list c']);
    expect(reflector.isWatching).toBe(false);
  });

  it('fails when the API server refuses, so that somebody comes again later', async () => {
    const client = await clientOf((_, response) => {
      response.writeHead(503).end('{"message": "etcd is away"}');
    });
    const reflector = new Reflector({
      ...{ client, kind: 'jobs', query: {}, schema: jobSchema, log: silentLogger() },
      ...{ onList: () => undefined, onChange: () => undefined },
    });
    await expect(
      reflector.run(new AbortController().signal, () => undefined),
    ).rejects.toMatchObject({
      code: 'unavailable',
      message: 'cannot list jobs: etcd is away',
    });
  });
});
