import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { notificationsSchema } from '../../lib/dialects/v2/notifySchemas.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { type CertificateWishes, certificates, opensslMissing } from '../helpers/certificates.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { Receiver, SECRET, writeNotifyFile } from '../helpers/receiver.ts';
import { makeFolders, startServer } from '../helpers/startServer.ts';

jest.setTimeout(120_000);

/** Every address that localhost may have; the receiver listens on the first. */
const LOOPBACK = ['127.0.0.1:*', '[::1]:*'];

describeWithEngine('webhooks over https', opensslMissing, () => {
  const open: Array<() => Promise<unknown>> = [];
  let known = '';
  beforeEach(() => {
    known = certificates({ names: 'DNS:localhost' });
  });
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });

  /** A receiver that shows the certificate of that folder. */
  async function receiverWith(folder: string): Promise<Receiver> {
    const receiver = await Receiver.open(() => 204, SECRET, folder);
    open.push(() => receiver.close());
    return receiver;
  }

  /** A pman that trusts that authority besides those of Node. */
  async function pmanThatTrusts(authority: string, retry: string): Promise<ApiClient> {
    const folders = makeFolders();
    const hosts = ['localhost:*', ...LOOPBACK].join(',');
    const server = await startServer({
      folders,
      flags: [
        ...['--notifyHosts', hosts, '--notifyRetry', retry],
        ...['--notifyFile', writeNotifyFile(folders.home)],
      ],
      env: { NODE_EXTRA_CA_CERTS: authority },
    });
    open.push(() => endServer(server));
    return new ApiClient(server);
  }

  async function delivery(client: ApiClient, id: string) {
    const { body } = await client.send('GET', `/api/v2/jobs/${id}/notifications`);
    return notificationsSchema.parse(body).notifications[0]?.deliveries[0];
  }

  it('ask for the name of the host, and are taken by who proves to be it', async () => {
    const receiver = await receiverWith(known);
    const client = await pmanThatTrusts(join(known, 'ca.pem'), '0.05,0.05,0.05');
    const url = receiver.url('/hook', 'localhost');
    const { id } = await client.submit({ command: 'true', notify: [{ url }] });
    await eventually(async () => (await delivery(client, id))?.state === 'delivered');
    expect(receiver.forged).toEqual([]);
    expect(
      receiver.received.map(({ type, servername, headers }) => [type, servername, headers.host]),
    ).toEqual([['job.ended', 'localhost', `localhost:${receiver.port}`]]);
  });

  it('go to an address without a name, whose certificate is for that address', async () => {
    const folder = certificates();
    const receiver = await receiverWith(folder);
    const client = await pmanThatTrusts(join(folder, 'ca.pem'), '0.05');
    const { id } = await client.submit({ command: 'true', notify: [{ url: receiver.url() }] });
    await eventually(async () => (await delivery(client, id))?.state === 'delivered');
    expect(receiver.received.map(({ servername }) => servername)).toEqual([false]);
  });

  interface Stranger extends CertificateWishes {
    readonly host?: string;
    /** Whether pman knows who signed it. */
    readonly trusted: boolean;
    readonly words: string;
  }

  it.each<[string, Stranger]>([
    [
      'is for another name',
      {
        names: 'DNS:hooks.example.org',
        trusted: true,
        words: 'its certificate is not for localhost',
      },
    ],
    [
      'is for a name, and the URL has an address',
      {
        names: 'DNS:localhost',
        host: '127.0.0.1',
        trusted: true,
        words: 'its certificate is not for 127.0.0.1',
      },
    ],
    [
      'has expired',
      { names: 'DNS:localhost', days: -1, trusted: true, words: 'its certificate has expired' },
    ],
    [
      'is signed by nobody that pman knows',
      {
        names: 'DNS:localhost',
        trusted: false,
        words: 'its certificate is of an authority that this server does not know',
      },
    ],
  ])('are not given to one whose certificate %s: it is tried again', async (_what, wishes) => {
    const folder = certificates(wishes);
    const receiver = await receiverWith(folder);
    const authority = join(wishes.trusted ? folder : known, 'ca.pem');
    // Two addresses of localhost are tried in turn.
    const client = await pmanThatTrusts(authority, '0.05,0.05,0.05');
    const url = receiver.url('/hook', wishes.host ?? 'localhost');
    const { id } = await client.submit({ command: 'true', notify: [{ url }] });
    const given = await eventually(async () => {
      const now = await delivery(client, id);
      return now?.state === 'given_up' ? now : undefined;
    });
    expect(receiver.received).toEqual([]);
    expect(receiver.forged).toEqual([]);
    expect(given.tries).toBe(4);
    expect(given.status).toBeNull();
    expect(given.error).toBe(wishes.words);
  });

  it('are not sent without TLS to one that does not speak it', async () => {
    const receiver = await Receiver.open();
    open.push(() => receiver.close());
    const client = await pmanThatTrusts(join(known, 'ca.pem'), '0.05');
    const url = receiver.url().replace('http:', 'https:');
    const { id } = await client.submit({ command: 'true', notify: [{ url }] });
    const given = await eventually(async () => {
      const now = await delivery(client, id);
      return now?.state === 'given_up' ? now : undefined;
    });
    expect(given.error).toBe('it does not speak TLS');
    expect(receiver.received).toEqual([]);
  });

  it('come once the receiver shows a good certificate', async () => {
    const expired = certificates({ names: 'DNS:localhost', days: -1 });
    const receiver = await receiverWith(expired);
    const retry = Array.from({ length: 100 }, () => '0.3').join(',');
    const client = await pmanThatTrusts(join(expired, 'ca.pem'), retry);
    const url = receiver.url('/hook', 'localhost');
    const { id } = await client.submit({ command: 'true', notify: [{ url }] });
    await eventually(async () => ((await delivery(client, id))?.tries ?? 0) >= 2);
    receiver.renew(certificates({ names: 'DNS:localhost', authority: expired }));
    const taken = await eventually(async () => {
      const now = await delivery(client, id);
      return now?.state === 'delivered' ? now : undefined;
    });
    expect(taken).toMatchObject({ status: 204, error: null });
    expect(receiver.types).toEqual(['job.ended']);
  });
});
