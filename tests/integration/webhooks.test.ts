import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { PmanClient } from '../../lib/client/index.ts';
import { notificationsSchema } from '../../lib/dialects/v2/notifySchemas.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, runJob } from '../helpers/pman.ts';
import { type Reaction, Receiver, SECRET, writeNotifyFile } from '../helpers/receiver.ts';
import { said } from '../helpers/said.ts';
import { makeFolders, startServer } from '../helpers/startServer.ts';

jest.setTimeout(120_000);

const open: Array<() => Promise<unknown>> = [];

async function receiverFor(reaction?: Reaction): Promise<Receiver> {
  const receiver = await Receiver.open(reaction);
  open.push(() => receiver.close());
  return receiver;
}

interface Told {
  readonly receivers: readonly Receiver[];
  readonly hosts?: readonly string[];
  readonly file?: string;
  readonly retry?: string;
}

async function pmanFor({ receivers, hosts = [], file = '', retry = '0.05,0.05,0.05' }: Told) {
  const folders = makeFolders();
  const allowed = [...receivers.map(({ port }) => `http://127.0.0.1:${port}`), ...hosts].join(',');
  const server = await startServer({
    folders,
    flags: [
      ...['--notifyHosts', allowed, '--notifyRetry', retry],
      ...['--notifyFile', writeNotifyFile(folders.home, file)],
    ],
  });
  open.push(() => endServer(server));
  return { server, client: new ApiClient(server) };
}

const ALL = ['accepted', 'started', 'part_ended', 'kill_ordered', 'ended'];

async function notifications(client: ApiClient, id: string) {
  const { status, body } = await client.send('GET', `/api/v2/jobs/${id}/notifications`);
  expect(status).toBe(200);
  return notificationsSchema.strict().parse(body).notifications;
}

describe('webhooks', () => {
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });

  describe('webhooks of a job', () => {
    it('tell what happens to it, in order, signed as Standard Webhooks says', async () => {
      const receiver = await receiverFor();
      const { client } = await pmanFor({ receivers: [receiver] });
      const notify = [{ url: receiver.url('/a?token=t0ken'), events: ALL }];
      const { id } = await client.submit({
        command: 'echo 1; exit 3',
        jid: 'j1',
        auid: 'ana',
        notify,
      });
      await eventually(() => receiver.types.includes('job.ended'));
      expect(receiver.forged).toEqual([]);
      expect(receiver.types).toEqual([
        ...['job.accepted', 'job.started', 'job.part_ended'],
        ...['job.started', 'job.part_ended', 'job.ended'],
      ]);
      expect(receiver.received.at(-1)).toMatchObject({
        path: '/a?token=t0ken',
        data: { id, jid: 'j1', auid: 'ana', state: 'failed', exitCodes: [0, 3] },
      });
      expect(new Set(receiver.received.map((one) => one.id)).size).toBe(6);
      const [told] = await eventually(async () => {
        const all = await notifications(client, id);
        return all[0]?.deliveries.at(-1)?.state === 'delivered' ? all : undefined;
      });
      expect(told).toMatchObject({ secretName: 'default', stopped: false, events: ALL });
      expect(told?.url).toBe(receiver.url('/a'));
      expect(told?.deliveries.map(({ state, tries, status }) => [state, tries, status])).toEqual(
        Array.from({ length: 6 }, () => ['delivered', 1, 204]),
      );
    });

    it('are asked for with the envelope, too, and tell the end alone when nothing is said', async () => {
      const receiver = await receiverFor();
      const { server } = await pmanFor({ receivers: [receiver] });
      const jid = await runJob(server, 'true', { notify: [{ url: receiver.url() }] });
      await eventually(() => receiver.received.length > 0);
      expect(receiver.received.map(({ type, data }) => [type, data.jid])).toEqual([
        ['job.ended', jid],
      ]);
    });

    it('are sent again until they are taken, under one id, and hold up those behind them', async () => {
      let tries = 0;
      const receiver = await receiverFor(() => {
        tries += 1;
        return tries === 1 ? 500 : tries === 2 ? 'cut' : 200;
      });
      const { client } = await pmanFor({ receivers: [receiver] });
      const notify = [{ url: receiver.url(), events: ['started', 'ended'] }];
      await client.submit({ command: 'true', notify });
      await eventually(() => receiver.types.includes('job.ended'));
      expect(receiver.types).toEqual(['job.started', 'job.started', 'job.started', 'job.ended']);
      const [first, second, third, last] = receiver.received.map(({ id }) => id);
      expect([second, third]).toEqual([first, first]);
      expect(last).not.toBe(first);
    });

    it('wait as long as the receiver asks with Retry-After', async () => {
      const answers = [{ status: 429, headers: { 'Retry-After': '2' } }, { status: 200 }];
      const receiver = await receiverFor(() => answers.shift() ?? 500);
      const { client } = await pmanFor({ receivers: [receiver] });
      await client.submit({ command: 'true', notify: [{ url: receiver.url() }] });
      await eventually(() => receiver.received.length === 2);
      const [first = { at: 0 }, second = { at: 0 }] = receiver.received;
      expect(second.at - first.at).toBeGreaterThan(1900);
    });

    it('end with 410, and go on when somebody asks for it', async () => {
      const receiver = await receiverFor(() => 410);
      const { client } = await pmanFor({ receivers: [receiver] });
      const notify = [{ url: receiver.url(), events: ALL }];
      const { id } = await client.submit({ command: 'true', notify });
      await client.job(id, '?wait=30s');
      const [stopped] = await eventually(async () => {
        const all = await notifications(client, id);
        return all[0]?.stopped === true ? all : undefined;
      });
      expect(receiver.received).toHaveLength(1);
      expect(stopped?.deliveries[0]).toMatchObject({ state: 'given_up', status: 410, tries: 1 });
      receiver.reaction = () => 200;
      const again = await client.send('POST', `/api/v2/jobs/${id}/notify`);
      expect(again.status).toBe(202);
      await eventually(() => receiver.received.length > 1);
      const [first, second] = receiver.received;
      expect(second?.id).toBe(first?.id);
    });

    it('that wait behind one that is refused for good count as waiting no longer', async () => {
      const answers = [500, 410];
      const receiver = await receiverFor(() => answers.shift() ?? 200);
      const { client, server } = await pmanFor({ receivers: [receiver], retry: '1,1' });
      const notify = [{ url: receiver.url(), events: ALL }];
      const { id } = await client.submit({ command: 'true; true', notify });
      await client.job(id, '?wait=30s');
      const [stopped] = await eventually(async () => {
        const all = await notifications(client, id);
        return all[0]?.stopped === true ? all : undefined;
      });
      expect(stopped?.deliveries.length).toBeGreaterThan(2);
      const metrics = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
      expect(metrics).toMatch(/^pman_webhooks_waiting 0$/m);
    });

    it('are given up after the last try, and sent again on demand', async () => {
      const receiver = await receiverFor(() => 503);
      const { client, server } = await pmanFor({ receivers: [receiver] });
      const { id } = await client.submit({ command: 'true', notify: [{ url: receiver.url() }] });
      const given = await eventually(async () => {
        const [told] = await notifications(client, id);
        return told?.deliveries.find(({ state }) => state === 'given_up');
      });
      expect(given).toMatchObject({ tries: 4, status: 503, error: 'it answers 503' });
      expect(receiver.received).toHaveLength(4);
      await said(server, 'a webhook was given up');
      receiver.reaction = () => 200;
      const again = await client.send('POST', `/api/v2/jobs/${id}/notify`, {});
      expect([again.status, again.body]).toEqual([202, { deliveries: 1 }]);
      await eventually(() => receiver.received.length === 5);
      const program = new PmanClient(client.url('/'));
      const { deliveries = [] } = (await program.notifications(id)).notifications[0] ?? {};
      expect(deliveries.map(({ type }) => type)).toContain('ended');
      expect(await program.notifyAgain(id)).toEqual({ deliveries: 0 });
      const all = await client.send('POST', `/api/v2/jobs/${id}/notify`, { which: 'all' });
      expect(all.status).toBe(202);
      await eventually(() => receiver.received.length === 6);
      expect(new Set(receiver.received.map((one) => one.id)).size).toBe(1);
    });

    it('go on after a restart where they were', async () => {
      const receiver = await receiverFor(() => 500);
      const { client, server } = await pmanFor({ receivers: [receiver], retry: '0.1,3600' });
      const { id } = await client.submit({ command: 'true', notify: [{ url: receiver.url() }] });
      await eventually(async () => {
        const [told] = await notifications(client, id);
        return told?.deliveries[0]?.tries === 2;
      });
      const [before] = await notifications(client, id);
      await server.restart();
      const [after] = await notifications(client, id);
      expect(after).toEqual(before);
      receiver.reaction = () => 200;
      await client.send('POST', `/api/v2/jobs/${id}/notify`, { which: 'all' });
      expect(receiver.received).toHaveLength(2);
    });

    it('of a slow receiver hold up no other', async () => {
      const slow = await receiverFor(() => 'silence');
      const quick = await receiverFor();
      const { client } = await pmanFor({ receivers: [slow, quick] });
      for (let i = 0; i < 10; i += 1) {
        await client.submit({ command: 'true', notify: [{ url: slow.url() }] });
      }
      await eventually(() => slow.received.length >= 4);
      await client.submit({ command: 'true', notify: [{ url: quick.url() }] });
      await eventually(() => quick.received.length === 1);
      // No more than four at once are sent to it.
      expect(slow.received).toHaveLength(4);
    });
  });

  describe('endpoints of the server', () => {
    it('hear of all jobs, and that they are removed', async () => {
      const receiver = await receiverFor();
      const file = `[ENDPOINT all]\nurl = ${receiver.url()}\nevents = accepted, ended, removed\n`;
      const { client } = await pmanFor({ receivers: [receiver], file });
      for (const jid of ['one', 'two']) {
        const { id } = await client.submit({ command: 'true', jid });
        await client.job(id, '?wait=30s');
        await eventually(async () => {
          const { status } = await client.send('DELETE', `/api/v2/jobs/${id}`);
          return status === 204;
        });
      }
      const told = () => receiver.received.map(({ type, data }) => `${type} ${data.jid}`);
      const wanted = ['one', 'two'].flatMap((jid) => [
        ...[`job.accepted ${jid}`, `job.ended ${jid}`, `job.removed ${jid}`],
      ]);
      await eventually(() => told().length >= wanted.length).catch(() => undefined);
      expect(told()).toEqual(wanted);
    });
  });

  describe('a job with notify', () => {
    it('is refused where webhooks are not allowed', async () => {
      const server = await startServer();
      open.push(() => endServer(server));
      const client = new ApiClient(server);
      const notify = [{ url: 'https://hooks.example.org/' }];
      const { status, body } = await client.send('POST', '/api/v2/jobs', {
        command: 'true',
        notify,
      });
      expect([status, body]).toEqual([
        403,
        expect.objectContaining({
          detail: 'this server sends no webhooks',
          hint: 'its operator can allow hosts with --notifyHosts',
        }),
      ]);
      const reply = await server.post('run', { cmd: 'true', auid: 'a', jid: 'j', notify });
      expect(reply).toMatchObject({ status: false, error: { code: 'forbidden' } });
      expect((await client.page()).jobs).toEqual([]);
    });

    it.each([
      ['a secret that the server does not have', { secretName: 'other' }, 'has no secret other'],
      ['an event that is none', { events: ['finished'] }, 'is none of'],
      ['an event that a job cannot tell', { events: ['removed'] }, 'is none of'],
      ['an event that is not kept, and so never sent', { events: ['output'] }, 'is none of'],
      ['a URL with a password', { url: 'http://user:pass@127.0.0.1/' }, 'holds a user or password'],
      ['what is no URL', { url: 'hook' }, 'is no URL that begins with https://'],
    ])('is refused with %s', async (_what, entry, words) => {
      const receiver = await receiverFor();
      const { client } = await pmanFor({ receivers: [receiver] });
      const notify = [{ url: receiver.url(), ...entry }];
      const { status, body } = await client.send('POST', '/api/v2/jobs', {
        command: 'true',
        notify,
      });
      expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(words)]);
      expect(JSON.stringify(body)).not.toContain('pass@');
    });
  });

  describe('the secrets', () => {
    it('stand in no record, no log and no answer', async () => {
      const receiver = await receiverFor();
      const { client, server } = await pmanFor({ receivers: [receiver] });
      const notify = [{ url: receiver.url(), events: ALL }];
      const { id } = await client.submit({ command: 'true', notify });
      await eventually(() => receiver.types.includes('job.ended'));
      const answers = [
        await client.send('GET', `/api/v2/jobs/${id}/notifications`),
        await client.send('GET', `/api/v2/jobs/${id}`),
      ];
      const key = SECRET.slice('whsec_'.length);
      expect(JSON.stringify(answers)).not.toContain(key);
      expect(server.output.stderr + server.output.stdout).not.toContain(key);
      await server.stop();
      for (const folder of [server.folders.DBpath, `${server.folders.DBpath}.spool`]) {
        for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
          const file = join(folder, name);
          if (statSync(file).isFile()) expect(readFileSync(file, 'utf8')).not.toContain(key);
        }
      }
    });

    it('are read again when their file has changed', async () => {
      const receiver = await receiverFor(() => 200);
      const { client, server } = await pmanFor({ receivers: [receiver] });
      const other = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
      writeFileSync(
        join(server.folders.home, 'notify.ini'),
        `[SECRETS]\ndefault = ${other} ${SECRET}\nnew = ${other}\n`,
      );
      const url = receiver.url();
      await client.submit({ command: 'true', notify: [{ url }, { url, secretName: 'new' }] });
      // Signed with both keys, and with one that the receiver does not know.
      await eventually(() => receiver.received.length === 1 && receiver.forged.length >= 1);
    });

    it.each([
      [
        'others can write',
        0o666,
        `[SECRETS]\ndefault = ${SECRET}\n`,
        'others can write the secrets',
      ],
      ['has a short secret', 0o600, '[SECRETS]\ndefault = whsec_AAAA\n', 'is no whsec_ secret'],
      [
        'has an endpoint elsewhere',
        0o600,
        `[SECRETS]\ndefault = ${SECRET}\n[ENDPOINT e]\nurl = https://other.example/\n`,
        'may not go to',
      ],
      [
        'has an endpoint without a secret',
        0o600,
        '[ENDPOINT e]\nurl = https://a.example/\n',
        'there is no secret default',
      ],
    ])('are not taken from a file that %s', async (_what, mode, content, words) => {
      const folders = makeFolders();
      const file = join(folders.home, 'notify.ini');
      writeFileSync(file, content, { mode });
      chmodSync(file, mode);
      const flags = ['--notifyHosts', 'a.example', '--notifyFile', file];
      await expect(startServer({ folders, flags })).rejects.toThrow(words);
    });
  });
});
