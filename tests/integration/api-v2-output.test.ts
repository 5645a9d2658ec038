import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

interface Line {
  readonly id?: string;
  readonly part?: number;
  readonly stream?: string;
  readonly offset?: number;
  readonly time?: string;
  readonly text?: string;
  readonly base64?: string;
  readonly ended?: string;
}

describe('outputs, runs again and facts of /api/v2', () => {
  let server: TestServer;
  let api: ApiClient;
  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
  });
  afterAll(async () => {
    await endServer(server);
  });

  const NDJSON = { Accept: 'application/x-ndjson' };
  const SSE = { Accept: 'text/event-stream' };

  async function lines(path: string, headers = {}): Promise<Line[]> {
    const { status, body } = await api.send('GET', path, undefined, headers);
    expect([status, body]).toEqual([200, expect.anything()]);
    return String(body)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  }

  async function sse(
    path: string,
    headers = {},
  ): Promise<{ id: string; event: string; data: Line }[]> {
    const { body } = await api.send('GET', path, undefined, { ...SSE, ...headers });
    return String(body)
      .split('\n\n')
      .filter((block) => block.includes('data: '))
      .map((block) => ({
        id: /^id: (.*)$/m.exec(block)?.[1] ?? '',
        event: /^event: (.*)$/m.exec(block)?.[1] ?? '',
        data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '') as Line,
      }));
  }

  it('tells both outputs in the order in which they came, and which is which', async () => {
    const command = 'echo a; echo b >&2; sleep 0.3; echo c; sleep 0.3; echo d >&2';
    const { id, links } = await api.submit({ command, shell: true });
    const followed = lines(`${links.output}?follow=1`);
    await api.job(id, '?wait=20s');
    const told = ({ stream, text, ended }: Line) => ended ?? `${stream} ${text}`;
    const of = (all: readonly Line[], stream: string) =>
      all.map((line) => (line.stream === stream ? line.text : '')).join('');
    // On a busy host both outputs may be seen at once: then their order is not known.
    for (const all of [await followed, await lines(links.output)]) {
      expect([of(all, 'stdout'), of(all, 'stderr')]).toEqual(['a\nc\n', 'b\nd\n']);
    }
    expect(told((await followed).at(-1) ?? {})).toBe('succeeded');
    const after = await lines(links.output);
    const [first] = after;
    const rest = await lines(`${links.output}?offset=${first?.id}`);
    expect(rest).toEqual(after.slice(1));
    const resumed = await sse(links.output, { 'Last-Event-ID': first?.id });
    expect(resumed.map(({ event, data }) => [event, told(data)])).toEqual([
      ...after.slice(1).map((line) => [line.stream, told(line)]),
      ['end', 'succeeded'],
    ]);
  });

  it('tells when bytes were seen, which is the same whenever it is asked for', async () => {
    // Too short for a log: nobody has noted when it wrote.
    const { id } = await api.submit({ command: 'echo a; echo b >&2' });
    const { startedAt, parts } = await api.job(id, '?wait=20s');
    const ended = Date.parse(parts.at(-1)?.endedAt ?? '');
    await eventually(() => Date.now() > ended + 50);
    const read = () => lines(`/api/v2/jobs/${id}/output`);
    const told = await read();
    expect(await read()).toEqual(told);
    expect(told).toHaveLength(2);
    for (const { time = '' } of told) {
      expect(Date.parse(time)).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ''));
      expect(Date.parse(time)).toBeLessThanOrEqual(ended);
    }
    // The envelope goes on behind the last time: there is nothing more.
    const old = `/api/v1/${id}/output`;
    const [last] = (await lines(old)).slice(-1);
    expect(await lines(`${old}?since=${last?.time}`)).toEqual([]);
  });

  it('refuses a place that the output does not have, and takes each that it has', async () => {
    const { id } = await api.submit({ command: 'echo a; echo b >&2' });
    await api.job(id, '?wait=20s');
    const at = async (place: string) =>
      (await api.send('GET', `/api/v2/jobs/${id}/output?offset=${place}`)).status;
    for (const place of ['', '0.0.0', '0.2.0', '0.1.0', '1.0.2'])
      expect([place, await at(place)]).toEqual([place, 200]);
    for (const place of ['0.3.0', '0.0.1', '1.2.0', '2.0.0', '5.0.0', '0.2', 'x'])
      expect([place, await at(place)]).toEqual([place, 400]);
  });

  it('is resumed by a stream of one output where it was left, without a byte lost or twice', async () => {
    const command = 'for i in 1 2 3 4 5 6; do printf "é$i "; sleep 0.1; done';
    const { id, links } = await api.submit({ command, shell: true });
    const first = await sse(links.stdout);
    await api.job(id, '?wait=20s');
    const text = 'é1 é2 é3 é4 é5 é6 ';
    expect(first.map(({ data }) => data.text ?? '').join('')).toBe(text);
    expect(first.at(-1)).toMatchObject({ event: 'end', data: { ended: 'succeeded' } });
    for (const { id: seen } of first.slice(0, -1)) {
      const rest = await sse(links.stdout, { 'Last-Event-ID': seen });
      const expected = Buffer.from(text).subarray(Number(seen)).toString();
      expect(rest.map(({ data }) => data.text ?? '').join('')).toBe(expected);
    }
    expect((await api.send('GET', `${links.stdout}?offset=4`)).body).toBe('é2 é3 é4 é5 é6 ');
    const cut = await lines(`${links.stdout}?offset=1`, NDJSON);
    expect(Buffer.from(cut[0]?.base64 ?? '', 'base64').length).toBeGreaterThan(0);
    expect((await api.send('GET', `${links.stdout}?offset=99`)).status).toBe(400);
  });

  it.each(['?part=7', '?offset=x', '?offset=1.2'])('says what is wrong with %s', async (query) => {
    const { id, links } = await api.submit({ command: 'true' });
    await api.job(id, '?wait=20s');
    const status = query.includes('part') ? 404 : 400;
    expect((await api.send('GET', `${links.output}${query}`)).status).toBe(status);
    expect((await api.send('GET', `${links.stdout}${query}`)).status).toBe(status);
  });

  it('runs a job again, with what is to be another way', async () => {
    const cwd = tempDir();
    const job = { command: 'cat; echo $A', shell: true, stdin: 'in\n', env: { A: '1' }, cwd };
    const { id, links } = await api.submit({ ...job, jid: 'again', labels: { a: 'b' } });
    await api.job(id, '?wait=20s');
    const rerun = async (body?: object, headers = {}) => {
      const said = await api.send('POST', `${links.self}/rerun`, body, headers);
      expect([said.status, said.body]).toEqual([201, expect.anything()]);
      const made = said.body as { id: string };
      expect(said.headers.get('location')).toBe(`/api/v2/jobs/${made.id}`);
      const ended = await api.job(made.id, '?wait=20s');
      return { ended, out: (await api.send('GET', ended.links.stdout)).body };
    };
    const same = await rerun();
    expect(same).toMatchObject({
      out: 'in\n1\n',
      ended: { rerunOf: id, jid: 'again', cwd, labels: { a: 'b' }, shell: true },
    });
    const split = await rerun({ command: 'true; cat', shell: false });
    expect(split).toMatchObject({ out: 'in\n', ended: { shell: false } });
    expect(split.ended.parts).toHaveLength(2);
    const other = await rerun({ env: { A: '2' }, jid: 'other', stdin: '' });
    expect(other).toMatchObject({ out: '2\n', ended: { jid: 'other', rerunOf: id } });
    const [one, two] = [
      await rerun({}, { 'Idempotency-Key': 'r' }),
      await rerun({}, { 'Idempotency-Key': 'r' }),
    ];
    expect(two.ended.id).toBe(one.ended.id);
    expect((await api.send('POST', `${links.self}/rerun`, { nix: 1 })).status).toBe(400);
  });

  it('runs a job again with the file that was sent along', async () => {
    const form = new FormData();
    form.set('job', '{"command": "wc -c"}');
    form.set('stdin', new Blob(['12345']));
    const sent = await fetch(api.url('/api/v2/jobs'), { method: 'POST', body: form });
    const { id } = (await sent.json()) as { id: string };
    const again = await api.send('POST', `/api/v2/jobs/${id}/rerun`);
    const ended = await api.job((again.body as { id: string }).id, '?wait=20s');
    expect((await api.send('GET', ended.links.stdout)).body).toMatch(/^\s*5\n$/);
  });

  it('runs a job of the original’s envelope again', async () => {
    const { jobRoot } = (await server
      .post('run', {
        ...{ cmd: 'echo x', auid: 'u', jid: 'old', threaded: true },
      })
      .then((reply) => reply.d_ret ?? reply)) as { jobRoot?: string };
    const [{ id }] = (await api.page('?jid=old')).jobs as [{ id: string }];
    expect(jobRoot ?? id).toBe(id);
    await api.job(id, '?wait=20s');
    const again = await api.send('POST', `/api/v2/jobs/${id}/rerun`);
    expect(await api.job((again.body as { id: string }).id, '?wait=20s')).toMatchObject({
      ...{ auid: 'u', jid: 'old', command: 'echo x', state: 'succeeded' },
    });
  });

  it('tells what runs jobs, and how it does', async () => {
    const at = async () =>
      ((await api.send('GET', '/api/v2/server')).body as { startedAt: string }).startedAt;
    expect(await at()).toBe(await at());
    const { body } = await api.send('GET', '/api/v2/capabilities');
    const { backends } = body as { backends: { name: string; takes: string[] }[] };
    expect(backends.map(({ name }) => name)).toEqual(['host', 'swarm']);
    expect(backends[0]?.takes).toEqual(expect.arrayContaining(['stdin', 'files']));
    await eventually(async () => {
      const { body: facts } = await api.send('GET', '/api/v2/server');
      expect(facts).toMatchObject({ backends: ['host', 'swarm'], disk: { problem: null } });
      return (facts as { jobs: { running: number } }).jobs.running === 0;
    });
  });
});
