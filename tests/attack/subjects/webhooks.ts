import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { expect } from '@jest/globals';
import { notificationsSchema } from '../../../lib/dialects/v2/notifySchemas.ts';
import { ApiClient } from '../../helpers/apiClient.ts';
import { eventually } from '../../helpers/eventually.ts';
import { Receiver, writeNotifyFile } from '../../helpers/receiver.ts';
import { makeFolders, type TestServer } from '../../helpers/startServer.ts';
import type { Subject } from '../attack.ts';
import { withPman } from '../victims.ts';

const HOSTS_TEST = 'tests/unit/lib/webhooks/allowedHosts.test.ts';

interface Victim {
  readonly client: ApiClient;
  readonly server: TestServer;
  /** Something on this host that nobody is to reach. */
  readonly inside: { readonly port: number; readonly asked: string[] };
  readonly receiver: Receiver;
}

/** A pman that allows `hosts`, and a server on the loopback beside it. */
async function withVictim<T>(
  hosts: (ports: { readonly inside: number; readonly receiver: number }) => string,
  attack: (victim: Victim) => Promise<T>,
): Promise<T> {
  const asked: string[] = [];
  const insider = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('internal');
  });
  await new Promise<void>((resolve) => insider.listen(0, '127.0.0.1', resolve));
  const receiver = await Receiver.open();
  const folders = makeFolders();
  const { port } = insider.address() as AddressInfo;
  const flags = [
    ...['--notifyHosts', hosts({ inside: port, receiver: receiver.port })],
    ...['--notifyFile', writeNotifyFile(folders.home), '--notifyRetry', '0.01'],
  ];
  try {
    return await withPman({ folders, flags }, (server) =>
      attack({ client: new ApiClient(server), server, inside: { port, asked }, receiver }),
    );
  } finally {
    await receiver.close();
    await new Promise((resolve) => insider.close(resolve));
  }
}

/** A server that never ends its answers: to `/body` the body, to all else the head. */
async function floodServer() {
  let sent = 0;
  let cut = 0;
  const server = createTcpServer((socket) => {
    const line = Buffer.from(`X-More: ${'x'.repeat(4000)}\r\n`);
    const pour = () => {
      while (!socket.destroyed) {
        sent += line.length;
        if (!socket.write(line)) return;
      }
    };
    socket.on('error', () => undefined);
    socket.on('close', () => {
      cut += 1;
    });
    socket.once('data', (request) => {
      socket.on('drain', pour);
      const isBody = request.toString('latin1').startsWith('POST /body');
      socket.write(`HTTP/1.1 200 OK\r\n${isBody ? '\r\n' : ''}`);
      pour();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sent: () => sent,
    cut: () => cut,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

const submit = (client: ApiClient, url: string) =>
  client.send('POST', '/api/v2/jobs', { command: 'true', notify: [{ url }] });

/** What came of the webhook of a job, once it was given up. */
async function failure({ client }: Victim, url: string): Promise<string> {
  const { body, status } = await submit(client, url);
  expect(status).toBe(201);
  const { id } = body as { id: string };
  const failed = await eventually(async () => {
    const answer = await client.send('GET', `/api/v2/jobs/${id}/notifications`);
    const [told] = notificationsSchema.parse(answer.body).notifications;
    return told?.deliveries.find(({ state }) => state === 'given_up');
  });
  return failed.error ?? '';
}

/** This host, as it can be written. */
const DISGUISES = [
  ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '[::1]', '[::ffff:7f00:1]'],
  ...['0.0.0.0', '[::]', 'localhost', 'localhost.', '169.254.169.254', '[64:ff9b::7f00:1]'],
];

export const webhooks: Subject = {
  title: 'clients that name where webhooks go',
  attacks: [
    {
      tried: 'this host in 13 disguises, where every public name is allowed',
      observe: () =>
        withVictim(
          () => '*,http://*:*,https://*:*',
          async (victim) => {
            const { client, inside } = victim;
            const seen = new Set<string>();
            for (const host of DISGUISES) {
              for (const scheme of ['http', 'https']) {
                const url = `${scheme}://${host}:${inside.port}/admin`;
                const { status } = await submit(client, url);
                const isName = host.startsWith('localhost');
                expect([host, status]).toEqual([host, isName ? 201 : 403]);
                if (isName) seen.add(await failure(victim, url));
                else seen.add('403');
              }
            }
            expect(inside.asked).toEqual([]);
            return `${[...seen].join('; ')}; nothing is asked`;
          },
        ),
    },
    {
      tried: 'a redirect of an allowed receiver to this host',
      observe: () =>
        withVictim(
          ({ receiver }) => `http://127.0.0.1:${receiver}`,
          async (victim) => {
            const { inside, receiver } = victim;
            const Location = `http://127.0.0.1:${inside.port}/admin`;
            const said = new Set<string>();
            for (const status of [301, 302, 303, 307, 308]) {
              receiver.reaction = () => ({ status, headers: { Location } });
              said.add((await failure(victim, receiver.url())).replace(String(status), '3xx'));
            }
            expect(inside.asked).toEqual([]);
            return [...said].join('; ');
          },
        ),
    },
    {
      tried: 'another port, another protocol and a password of an allowed receiver',
      observe: () =>
        withVictim(
          ({ receiver }) => `http://127.0.0.1:${receiver}`,
          async ({ client, inside, receiver }) => {
            const urls = [
              `http://127.0.0.1:${inside.port}/`,
              `https://127.0.0.1:${receiver.port}/`,
              `http://user:pass@127.0.0.1:${receiver.port}/`,
              `http://127.0.0.1:${receiver.port}@127.0.0.1:${inside.port}/`,
              'file:///etc/passwd',
              'gopher://127.0.0.1/',
            ];
            const statuses: number[] = [];
            for (const url of urls) statuses.push((await submit(client, url)).status);
            expect([...receiver.received, ...inside.asked]).toEqual([]);
            return statuses.join(', ');
          },
        ),
    },
    {
      tried: 'header lines and a second request hidden in a URL',
      observe: () =>
        withVictim(
          ({ receiver }) => `http://127.0.0.1:${receiver}`,
          async ({ client, receiver }) => {
            const url = `${receiver.url('/x')} HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET /admin`;
            expect((await submit(client, url)).status).toBe(201);
            await eventually(() => receiver.received.length === 1);
            const [received] = receiver.received;
            expect(received?.headers['x-evil']).toBeUndefined();
            expect(received?.path).toMatch(/^\/x%20HTTP\/1\.1/);
            return 'they are part of the path, escaped';
          },
        ),
    },
    {
      tried: 'an answer without an end, and a head without an end',
      observe: async () => {
        const flood = await floodServer();
        try {
          return await withVictim(
            () => `http://127.0.0.1:${flood.port}`,
            async (victim) => {
              const body = await submit(victim.client, `http://127.0.0.1:${flood.port}/body`);
              expect(body.status).toBe(201);
              await eventually(() => flood.cut() === 1);
              const head = await failure(victim, `http://127.0.0.1:${flood.port}/head`);
              expect(flood.sent()).toBeLessThan(64 * 1024 * 1024);
              return `the connection is cut; ${head}`;
            },
          );
        } finally {
          await flood.close();
        }
      },
    },
    {
      tried: 'networks of cloud metadata, carriers, ULA and link-local, NAT64, 6to4 and Teredo',
      happens: 'no connection, unless the network is listed',
      shownBy: [
        HOSTS_TEST,
        'takes addresses of the shared Internet, and others only where they are listed',
      ],
    },
    {
      tried: 'the secret, from answers, the log and the disk',
      happens: 'it stands in its own file alone',
      shownBy: ['tests/integration/webhooks.test.ts', 'stand in no record, no log and no answer'],
    },
  ],
};
