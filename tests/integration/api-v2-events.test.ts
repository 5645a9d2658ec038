import { writeFileSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventSchema, type JobEvent } from '../../lib/events/event.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { makeFolders, startServer } from '../helpers/startServer.ts';

describe('events of /api/v2', () => {
  it('tell that a job waits, grows, is ordered to end by whom, and is removed', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens.cfg');
    const token = 'a'.repeat(40);
    writeFileSync(tokenPath, `[TOKEN ana]\nvalue = ${token}\nscopes = read, run, kill\n`, {
      mode: 0o600,
    });
    const flags = ['--maxJobs', '1', '--enableTokenAuth', '--tokenPath', tokenPath];
    const server = await startServer({ folders, flags });
    const api = new ApiClient(server);
    const by = { Authorization: `Bearer ${token}` };
    const post = async (path: string, body: object) =>
      (await api.send('POST', path, body, by)).body as { id: string };

    const growth = await fetch(api.url('/api/v2/events?type=output,ended'), {
      headers: { ...by, Accept: 'text/event-stream' },
    });
    const command = 'while :; do echo xx; sleep 0.1; done';
    const first = await post('/api/v2/jobs', { command, shell: true, labels: { a: 'b' } });
    const second = await post('/api/v2/jobs', { command: 'true' });
    let seen = '';
    const decoder = new TextDecoder();
    for await (const chunk of growth.body ?? []) {
      seen += decoder.decode(chunk as Uint8Array, { stream: true });
      if (seen.split('event: output').length > 2) break;
    }
    const grown = [...seen.matchAll(/event: output\ndata: (.*)\n/g)].map(
      ([, data]) => JSON.parse(data ?? '') as { id: string; data: { stdout: number } },
    );
    expect(seen).not.toMatch(/id: .*\nevent: output/);
    expect(grown[0]).toMatchObject({ type: 'output', id: first.id, labels: { a: 'b' } });
    expect(grown[1]?.data.stdout).toBeGreaterThan(grown[0]?.data.stdout ?? 0);

    await post(`/api/v2/jobs/${first.id}/kill`, { signal: 'KILL' });
    await api.send('GET', `/api/v2/jobs/${second.id}?wait=20s`, undefined, by);
    await api.send('DELETE', `/api/v2/jobs/${first.id}`, undefined, by);
    const said = await api.send('GET', '/api/v2/events?after=0', undefined, by);
    const { events } = said.body as { events: JobEvent[] };
    for (const event of events) eventSchema.strict().parse(event);
    const of = (id: string) => events.filter((event) => event.id === id);
    expect(of(first.id).map(({ type }) => type)).toEqual([
      ...['accepted', 'started', 'kill_ordered', 'part_ended', 'ended', 'removed'],
    ]);
    expect(of(first.id).find(({ type }) => type === 'kill_ordered')?.data).toEqual({
      ...{ signal: 'SIGKILL', cause: 'ended by a kill request', by: 'ana' },
    });
    expect(of(second.id).slice(0, 3)).toMatchObject([
      { type: 'accepted' },
      { type: 'waiting', data: { place: 1 } },
      { type: 'started' },
    ]);
    await endServer(server);
  });

  it('are narrowed by label, state and type', async () => {
    const server = await startServer();
    const api = new ApiClient(server);
    const good = await api.submit({ command: 'true', labels: { kind: 'good', x: '1' } });
    const bad = await api.submit({ command: 'false', labels: { kind: 'bad', x: '1' } });
    for (const { id } of [good, bad]) await api.job(id, '?wait=20s');
    const told = async (query: string) => {
      const { body } = await api.send('GET', `/api/v2/events?${query}`);
      const { events } = body as { events: JobEvent[] };
      return events.map(({ id, type }) => `${id === good.id ? 'good' : 'bad'} ${type}`).sort();
    };
    await eventually(async () => (await told('type=ended')).length === 2);
    expect(await told('label=kind=bad&type=accepted,ended')).toEqual(['bad accepted', 'bad ended']);
    expect(await told('label=x=1&label=kind=good&type=ended')).toEqual(['good ended']);
    expect(await told('state=failed,lost')).toEqual(['bad ended']);
    expect(await told('state=running&label=kind=good')).toEqual([
      'good part_ended',
      'good started',
    ]);
    expect(await told('backend=container')).toEqual([]);
    expect((await api.send('GET', '/api/v2/events?type=nix')).status).toBe(400);
    const gone = await api.send('GET', '/api/v2/events?after=999');
    expect(gone).toMatchObject({ status: 410, body: { code: 'gone', oldest: 1, newest: 8 } });
    await endServer(server);
  });

  it('are narrowed by time, and by a text of the command, also when the job is removed', async () => {
    const server = await startServer();
    const api = new ApiClient(server);
    const before = new Date(Date.now() + 1).toISOString();
    const told = async (query: string) => {
      const { body } = await api.send('GET', `/api/v2/events?${query}`);
      return (body as { events: JobEvent[] }).events.map(({ id, type }) => `${id} ${type}`);
    };
    const { id: echo } = await api.submit({ command: 'echo Hello' });
    const long = `: ${'x'.repeat(5000)} needle`;
    const { id: other } = await api.submit({ command: long });
    for (const id of [echo, other]) await api.job(id, '?wait=20s');
    await eventually(async () => (await told('type=ended')).length === 2);
    expect(await told('text=hELLO&type=accepted,ended')).toEqual([
      `${echo} accepted`,
      `${echo} ended`,
    ]);
    expect(await told('text=needle&type=ended')).toEqual([`${other} ended`]);
    expect(await told(`until=${before}`)).toEqual([]);
    expect(await told(`since=${before}&type=ended`)).toHaveLength(2);

    const stream = await fetch(api.url('/api/v2/events?text=hello'), {
      headers: { Accept: 'application/x-ndjson' },
    });
    await api.send('DELETE', `/api/v2/jobs/${other}`);
    await api.send('DELETE', `/api/v2/jobs/${echo}`);
    let seen = '';
    for await (const chunk of stream.body ?? []) {
      seen += Buffer.from(chunk as Uint8Array).toString();
      if (seen.trim() !== '') break;
    }
    expect(JSON.parse(seen)).toMatchObject({
      ...{ type: 'removed', id: echo, data: { command: 'echo Hello' } },
    });
    await endServer(server);
  });

  it('are kept as long, and as many of them, as the server was told', async () => {
    // 0.0001 MiB are about a hundred bytes: what is written at once has a file of its own.
    const flags = ['--keepEventsSize', '0.0001', '--DBsavePeriod', '0.1'];
    const server = await startServer({ flags });
    const api = new ApiClient(server);
    for (let i = 0; i < 3; i += 1) {
      const { id } = await api.submit({ command: 'true' });
      await api.job(id, '?wait=20s');
    }
    await eventually(async () => {
      const { body } = await api.send('GET', '/api/v2/events?after=0');
      return ((body as { oldest?: number }).oldest ?? 0) > 4;
    });
    await endServer(server);
  });

  it('reach a thousand listeners, whether or not one of them reads', async () => {
    const server = await startServer();
    const api = new ApiClient(server);
    const jobs = 20;
    // It asks for events and never reads: what it is sent fills its connection.
    const slow = connect(server.port, '127.0.0.1');
    slow.on('error', () => undefined);
    slow.pause();
    slow.write(
      'GET /api/v2/events?after=0 HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n',
    );
    const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
    const listeners: IncomingMessage[] = [];
    const ended = new Array<number>(1000).fill(0);
    const listen = (i: number) =>
      new Promise<void>((resolve, reject) => {
        const headers = { Accept: 'text/event-stream' };
        const url = api.url('/api/v2/events?after=0&type=ended');
        get(url, { headers, agent }, (answer) => {
          listeners.push(answer);
          answer.on('data', (chunk: Buffer) => {
            ended[i] = (ended[i] ?? 0) + chunk.toString().split('event: ended').length - 1;
          });
          answer.on('error', () => undefined);
          resolve();
        }).on('error', reject);
      });
    // Not all at once: a connection has 10 s to send its request, which a busy machine needs for a thousand.
    const AT_ONCE = 50;
    for (let i = 0; i < ended.length; i += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => listen(i + k)));
    }
    expect(new Set(listeners.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
    const made = await Promise.all(
      Array.from({ length: jobs }, () => api.submit({ command: 'true' })),
    );
    for (const { id } of made) await api.job(id, '?wait=60s');
    await eventually(() => ended.every((count) => count === jobs));
    for (const listener of listeners) listener.destroy();
    slow.destroy();
    await endServer(server);
  }, 120_000);
});
