import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Job, PmanClient } from '../../lib/client/index.ts';
import { browserMissing, Visitor } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { checkout, makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

interface ClientModule {
  readonly PmanClient: typeof PmanClient;
}

describeWithEngine('a page of another origin in a real browser', browserMissing, () => {
  let visitor: Visitor;
  let server: TestServer;

  beforeAll(async () => {
    visitor = await Visitor.open('pages.example');
    await visitor.visit('127.0.0.1');
  });
  afterEach(() => endServer(server));
  afterAll(() => visitor.close());

  const origin = () => `http://127.0.0.1:${visitor.port}`;
  const address = () => `http://127.0.0.1:${server.port}`;
  const crash = async (flags: readonly string[]) => {
    const { port } = server;
    await server.kill9();
    await server.restart([...flags, '--port', String(port)]);
  };

  it('does a whole job with the client and a token, also when pman is killed', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens');
    writeFileSync(tokenPath, 'a-token-of-some-length\n', { mode: 0o600 });
    const flags = ['--ip', '127.0.0.1', '--enableTokenAuth', '--tokenPath', tokenPath];
    const all = [...flags, '--allowOrigin', origin()];
    server = await startServer({ folders, flags: all });
    const gate = makeGate(server);
    const bundle = readFileSync(join(checkout, 'dist/client/pmanClient.js'), 'utf8');
    await visitor.page.evaluate(
      async ([source, url]) => {
        const place = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
        const { PmanClient: Client } = (await import(place)) as ClientModule;
        const client = new Client({ url, token: 'a-token-of-some-length' });
        Object.assign(globalThis, { Client, client, text: '' });
      },
      [bundle, address()] as const,
    );
    const done = visitor.page.evaluate(async (wait) => {
      const page = globalThis as unknown as { client: PmanClient; text: string };
      const stopper = new AbortController();
      const types: string[] = [];
      const job = await page.client.run({ command: `echo before; ${wait}; echo after` });
      const hearing = (async () => {
        const events = page.client.events({ after: 0, id: job.id }, { signal: stopper.signal });
        for await (const { type } of events) {
          types.push(type);
          if (type === 'ended') return;
        }
      })();
      for await (const { text } of page.client.follow(job, { stream: 'stdout' })) page.text += text;
      const ended: Job = await page.client.wait(job);
      await hearing;
      const listed = await page.client.jobPage({ limit: 5 });
      await page.client.remove(job);
      const code = await page.client.job(job).catch((error: { code: string }) => error.code);
      return { text: page.text, types, state: ended.state, listed: listed.jobs.length, code };
    }, gate.wait);
    const isThere = () =>
      visitor.page.evaluate(() => (globalThis as unknown as { text: string }).text !== '');
    await eventually(isThere, { message: 'the page to read the first line' });
    await crash(all);
    gate.open();
    expect(await done).toEqual({
      ...{ text: 'before\nafter\n', state: 'succeeded', listed: 1, code: 'not_found' },
      types: ['accepted', ...Array(3).fill(['started', 'part_ended']).flat(), 'ended'],
    });
    const refused = await visitor.page.evaluate(async (url) => {
      const { Client } = globalThis as unknown as { Client: typeof PmanClient };
      const stranger = new Client({ url, token: 'another' });
      return stranger.run(':').catch((error: { status: number }) => error.status);
    }, address());
    expect(refused).toBe(401);
  });

  it('hears of each change once by its own EventSource, also when pman is killed', async () => {
    const flags = ['--allowOrigin', origin()];
    server = await startServer({ flags });
    const heard = () =>
      visitor.page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);
    await visitor.page.evaluate((url) => {
      const list: string[] = [];
      const source = new EventSource(`${url}/api/v2/events`);
      for (const type of ['accepted', 'started', 'part_ended', 'ended']) {
        source.addEventListener(type, (event) => {
          const { data, lastEventId } = event as unknown as Record<string, string>;
          const { jid } = JSON.parse(data ?? '') as { jid: string };
          list.push(`${lastEventId} ${jid} ${type}`);
        });
      }
      Object.assign(globalThis, { heard: list });
      return new Promise<void>((resolve) => source.addEventListener('open', () => resolve()));
    }, address());
    // It has heard of nothing yet, and the first job comes while it is not connected.
    await crash(flags);
    const run = (jid: string) =>
      server.request('POST', '/api/v2/jobs', { body: { command: 'true', jid } });
    await run('one');
    await eventually(async () => (await heard()).includes('4 one ended'));
    await crash(flags);
    await run('two');
    await eventually(async () => (await heard()).includes('8 two ended'));
    expect(await heard()).toEqual(
      ['one', 'two'].flatMap((jid, n) =>
        ['accepted', 'started', 'part_ended', 'ended'].map(
          (type, i) => `${n * 4 + i + 1} ${jid} ${type}`,
        ),
      ),
    );
  });
});
