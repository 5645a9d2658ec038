import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerHead } from '../../../lib/answerHead.ts';
import { PmanClient } from '../../../lib/client/index.ts';
import { httpTransport } from '../../../lib/verbs/httpTransport.ts';
import { AllowedHosts } from '../../../lib/webhooks/allowedHosts.ts';
import { post } from '../../../lib/webhooks/post.ts';
import { KubeClient } from '../../../openshift/client.ts';
import { openEngine } from '../../../swarm/client/openEngine.ts';

const SWITCHES = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n';
const SWITCHES_TO_NOTHING = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';

describe('whoever answers 101 Switching Protocols, which nobody has asked for', () => {
  const sockets = new Set<Socket>();
  let server: Server;
  let port: number;
  let answer = SWITCHES;
  beforeAll(async () => {
    // It keeps the connection open.
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      socket.once('data', () => socket.write(answer));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  beforeEach(() => {
    answer = SWITCHES;
  });
  afterAll(() => void server.close());
  const allClosed = async () => {
    for (const socket of sockets) await once(socket, 'close');
  };

  it.each([SWITCHES, SWITCHES_TO_NOTHING])('is told, and the connection cut: %j', async (bytes) => {
    answer = bytes;
    const sent = request({ port, host: '127.0.0.1' }).end();
    await expect(answerHead(sent)).rejects.toMatchObject({ name: 'SwitchedProtocol', status: 101 });
    await allClosed();
  });

  it('has failed to take a webhook, which is sent again', async () => {
    const url = new URL(`http://127.0.0.1:${port}/`);
    const what = { url, headers: {}, body: '{}', tries: 0, signal: new AbortController().signal };
    const hosts = new AllowedHosts([url.origin, '127.0.0.1/32']);
    expect(await post(what, hosts, { connectMs: 2000, wholeMs: 2000 })).toEqual({
      ...{ kind: 'failed', status: 101 },
      error: 'it answers 101: it goes on in another protocol than HTTP',
    });
    await allClosed();
  });

  it('is no pman for the verbs, and is not asked again', async () => {
    const client = new PmanClient({ url: `http://127.0.0.1:${port}`, fetch: httpTransport() });
    await expect(client.server()).rejects.toMatchObject({ code: 'bad_answer', status: 101 });
    await allClosed();
  });

  it('is no API server of a cluster', async () => {
    const credentials = { server: `http://127.0.0.1:${port}`, options: async () => ({}) };
    const client = new KubeClient(credentials as never, 'jobs');
    await expect(client.ask('list jobs', { path: client.path('jobs') })).rejects.toMatchObject({
      ...{ code: 'unavailable', message: expect.stringMatching(/another protocol/) },
    });
    await allClosed();
  });

  it.each([SWITCHES, SWITCHES_TO_NOTHING])('is no engine: %j', async (bytes) => {
    answer = bytes;
    const { docker } = await openEngine({ kind: 'tcp', host: '127.0.0.1', port });
    await expect(docker.version()).rejects.toThrow('another protocol');
    await allClosed();
  });
});

it('a connection that is closed without an answer is an error', async () => {
  const server = createServer((socket) => socket.once('data', () => socket.end()));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(answerHead(request({ port, host: '127.0.0.1' }).end())).rejects.toThrow('hang up');
  server.close();
});
