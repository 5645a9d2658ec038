import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PmanClient } from '../../lib/client/index.ts';
import { foundLinesSchema, outputLinesSchema } from '../../lib/dialects/v2/lineSchemas.ts';
import type { OutputLines } from '../../lib/dialects/v2/shapes.ts';
import { busyMs, WATCHING } from '../attack/endureWorst.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { processorMs } from '../helpers/patience.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

describe('lines of outputs in /api/v2', () => {
  let server: TestServer;
  let api: ApiClient;
  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
  });
  afterAll(() => endServer(server));

  async function lines(id: string, query = ''): Promise<OutputLines> {
    const { status, body } = await api.send('GET', `/api/v2/jobs/${id}/output/lines${query}`);
    expect([status, body]).toEqual([200, expect.anything()]);
    return outputLinesSchema.strict().parse(body);
  }
  const ended = async (job: object) => {
    const { id } = await api.submit({ shell: true, ...job });
    await api.job(id, '?wait=60s');
    return id;
  };
  const told = ({ lines: all }: OutputLines) =>
    all.map(({ line, stream, text }) => `${line} ${stream === 'stdout' ? 'o' : 'e'} ${text}`);

  it('come in the order in which they were begun, of both outputs, with times', async () => {
    // Each is seen before the next one comes: what is read at one time has no order.
    const gates = [makeGate(server), makeGate(server), makeGate(server), makeGate(server)] as const;
    const [one, two, three, four] = gates.map(({ wait }) => wait);
    const { id } = await api.submit({
      command: `echo a; ${one}; echo b >&2; ${two}; printf 'c '; ${three}; echo d >&2; ${four}; echo c`,
      shell: true,
    });
    const client = new PmanClient(api.url(''));
    let bytes = 0;
    for (const gate of gates) {
      ({ bytes } = await client.lines(id, { after: bytes, wait: 30 }));
      gate.open();
    }
    await api.job(id, '?wait=60s');
    const all = await lines(id);
    expect(told(all)).toEqual(['1 o a', '2 e b', '3 o c c', '4 e d']);
    expect(all).toMatchObject({ total: 4, bytes: 10, whole: true, ended: true, open: [] });
    const times = all.lines.map(({ time }) => Date.parse(time ?? ''));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(told(await lines(id, '?from=-2'))).toEqual(['3 o c c', '4 e d']);
    expect(told(await lines(id, '?from=2&count=1'))).toEqual(['2 e b']);
    expect(told(await lines(id, '?from=5'))).toEqual([]);
    expect(told(await lines(id, '?from=-9&count=0'))).toEqual([]);
  });

  it('keep their numbers while the job goes on, and through a restart of pman', async () => {
    const [one, two] = [makeGate(server), makeGate(server)];
    const command = `echo a; printf b; ${one.wait}; echo c >&2; echo b; ${two.wait}; echo d`;
    const { id } = await api.submit({ command, shell: true });
    const client = new PmanClient(api.url(''));
    const first = await client.lines(id, { after: 2, wait: 30 });
    expect(told(first)).toEqual(['1 o a', '2 o b']);
    expect(first).toMatchObject({ ended: false, open: [{ line: 2, text: 'b', open: true }] });
    const waiting = client.lines(id, { from: -1, after: first.bytes, wait: 30 });
    one.open();
    expect((await waiting).bytes).toBeGreaterThan(first.bytes);
    let now = await lines(id);
    while (now.bytes < 7) now = await lines(id, `?after=${now.bytes}&wait=10s`);
    expect(told(now)).toEqual(['1 o a', '2 o bb', '3 e c']);
    await server.restart();
    api = new ApiClient(server);
    expect(told(await lines(id))).toEqual(told(now));
    two.open();
    await api.job(id, '?wait=30s');
    const last = await lines(id, '?after=99&wait=30s');
    expect(told(last)).toEqual([...told(now), '4 o d']);
    expect(last.ended).toBe(true);
  });

  it('of many bytes are cut, and told whole when that is asked for', async () => {
    const id = await ended({
      command: `head -c 300000 /dev/zero | tr '\\0' x; echo; printf '\\377é'`,
    });
    const {
      lines: [long, odd],
    } = await lines(id);
    expect(long).toMatchObject({ line: 1, text: 'x'.repeat(4096), bytes: 300_000 });
    expect(odd).toMatchObject({ line: 2, text: '\ufffdé', open: true });
    const whole = await lines(id, '?from=1&count=1&lineBytes=1000000');
    expect(whole.lines[0]?.text).toHaveLength(300_000);
    expect(whole.lines[0]?.bytes).toBeUndefined();
  });

  it('are found by a text or an expression', async () => {
    const id = await ended({ command: 'echo one; echo Two >&2; sleep 0.1; seq 3 1000' });
    const client = new PmanClient(api.url(''));
    const find = async (query: Parameters<typeof client.find>[1]) =>
      foundLinesSchema.strict().parse(await client.find(id, query));
    expect(await find({ text: '99' })).toMatchObject({
      lines: [
        99,
        199,
        299,
        399,
        499,
        599,
        699,
        799,
        899,
        ...Array.from({ length: 10 }, (_, i) => 990 + i),
      ],
      whole: true,
    });
    expect((await find({ text: 'two', ignoreCase: true })).lines).toEqual([2]);
    expect((await find({ text: 'two' })).lines).toEqual([]);
    expect(await find({ regex: '^1\\d+0$', limit: 2, from: 105 })).toEqual({
      ...{ lines: [110, 120], searched: expect.any(Number), whole: false },
      ranges: [
        [0, 3],
        [0, 3],
      ],
    });
  });

  it.each(['', '?text=a&regex=b', '?regex=(', '?text=', '?limit=0&text=a', '?nix=1&text=a'])(
    'says what is wrong with the search %p',
    async (query) => {
      const id = await ended({ command: 'echo one' });
      const said = await api.send('GET', `/api/v2/jobs/${id}/output/find${query}`);
      expect(said.status).toBe(400);
    },
  );

  it.each(['?from=x', '?count=9999', '?wait=1h', '?lineBytes=0'])(
    'says what is wrong with %s',
    async (query) => {
      const id = await ended({ command: 'echo one' });
      expect((await api.send('GET', `/api/v2/jobs/${id}/output/lines${query}`)).status).toBe(400);
      expect((await api.send('GET', `/api/v2/jobs/nix/output/lines`)).status).toBe(404);
    },
  );

  it('an expression that would never end is refused, and meanwhile all else is answered', async () => {
    const id = await ended({ command: `printf '%40s!' | tr ' ' a` });
    const hostile = api.send('GET', `/api/v2/jobs/${id}/output/find?regex=(a%2B)%2B%24`);
    let answered = 0;
    const done = hostile.then(() => true);
    while (!(await Promise.race([done, sleep(20)]))) {
      expect((await lines(id)).total).toBe(1);
      answered += 1;
    }
    expect(answered).toBeGreaterThan(5);
    const { status, body } = await hostile;
    expect([status, body]).toEqual([400, expect.objectContaining({ hint: expect.any(String) })]);
    const again = await api.send('GET', `/api/v2/jobs/${id}/output/find?text=a`);
    expect(again.body).toMatchObject({ lines: [1] });
  });

  it('of a large output can be read from any place, and nobody waits for that', async () => {
    const watched = await startServer({ env: { NODE_OPTIONS: WATCHING } });
    const file = join(tempDir(), 'large');
    const block = Array.from({ length: 13_000 }, (_, i) => `${i} ${'x'.repeat(70)}\n`).join('');
    writeFileSync(file, '');
    for (let i = 0; i < 100; i += 1) appendFileSync(file, block);
    const client = new PmanClient(`http://127.0.0.1:${watched.port}`);
    const { id } = await client.wait(await client.run(`cat ${file}`));
    const watch = { pid: watched.pid, port: watched.port, stderr: () => watched.output.stderr };
    // What a server does soon after its start, and for a job that has ended.
    await eventually(async () => (await busyMs(watch)) < 5, { pollMs: 300 });
    let now = await client.lines(id, { from: -200 });
    // It was being read still: what is known comes at once.
    while (!now.whole) now = await client.lines(id, { from: -200 });
    expect(now.total).toBe(1_300_000);
    expect(now.lines).toHaveLength(200);
    expect(now.lines.at(-1)).toMatchObject({ line: 1_300_000, text: `12999 ${'x'.repeat(70)}` });
    const place = await client.lines(id, { from: 654_321, count: 1 });
    expect(place.lines[0]?.text).toBe(`${654_320 % 13_000} ${'x'.repeat(70)}`);
    expect((await client.find(id, { text: '12999 ' })).lines).toHaveLength(100);
    expect((await client.find(id, { regex: 'y$' })).lines).toEqual([]);
    // Time of the processor: a busy machine does not count.
    expect(await busyMs(watch)).toBeLessThan(processorMs(20));
    await endServer(watched);
  });
});
