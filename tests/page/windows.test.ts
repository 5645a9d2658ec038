import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

const ANAS = 'a-token-of-ana-of-some-length';
const NEW_ANAS = 'another-token-of-ana-of-some-length';
const BOBS = 'a-token-of-bob-of-some-length';

describeWithEngine('many windows of one browser', browserMissing, () => {
  const visitor = visitedBy();
  let server: TestServer;
  let api: ApiClient;
  let first: Page;

  beforeEach(async () => {
    server = await startServer();
    api = new ApiClient(server);
    first = await visitor().window();
  });
  afterEach(() => endServer(server));

  const beside = async () => {
    const page = await first.context().newPage();
    page.setDefaultTimeout(15_000);
    return page;
  };

  /** Opens more windows beside the first. */
  const open = async (count: number, path: string) => {
    const all: Page[] = [];
    for (let n = 0; n < count; n += 1) {
      const page = first.url() === 'about:blank' ? first : await beside();
      await openLive(page, server, path);
      all.push(page);
    }
    return all;
  };

  it('leave each other the connections: eight on a running job, a kill is answered, a ninth loads', async () => {
    const { id } = await api.submit({ command: 'echo hello; sleep 600', jid: 'watched' });
    const all = await open(8, `/ui/jobs/${id}`);
    for (const page of all) await page.getByRole('log').getByText('hello').waitFor();
    const [, , third] = all;
    await third?.locator('.panel').getByRole('button', { name: 'Kill' }).click();
    await third?.getByRole('dialog').getByRole('button', { name: 'Kill 1' }).click();
    await third?.locator('.notice').waitFor({ timeout: 5000 });
    for (const page of all) await page.locator('.panelHead').getByText('killed').waitFor();
    const [ninth] = await open(1, '/ui');
    await ninth?.locator(`tr[data-id="${id}"]`).getByText('killed').waitFor();
  });

  it('go on when the one is closed that was there first, and when pman was killed and is back', async () => {
    const gate = makeGate(server);
    const { id } = await api.submit({ command: gate.wait, jid: 'waits' });
    const [one, ...others] = await open(4, '/ui');
    await one?.close();
    const counts = async () => {
      const texts = others.map((page) => page.locator('.filters').textContent());
      return new Set(await Promise.all(texts));
    };
    for (let n = 0; n < 3; n += 1) await api.submit({ command: 'true', jid: `short-${n}` });
    for (const page of others) {
      await eventually(async () => (await page.locator('tr[data-id]').count()) === 4);
      await page.locator('.filter.running').getByText('1 running').waitFor();
    }
    await eventually(async () => (await counts()).size === 1);
    const { port } = server;
    await server.kill9();
    for (const page of others) await page.getByText(/Not connected since/).waitFor();
    await server.restart(['--port', String(port)]);
    for (const page of others) await page.locator('.contact.live').waitFor({ timeout: 60_000 });
    gate.open();
    for (const page of others) await page.locator(`tr[data-id="${id}"]`).getByText('ok').waitFor();
    await eventually(async () => (await counts()).size === 1);
  });

  it('with other tokens hear of other jobs, and go on with a new one when theirs is revoked', async () => {
    await endServer(server);
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens.cfg');
    const keep = (anas: string) => {
      const entry = (name: string, value: string) =>
        `[TOKEN ${name}]\nvalue = ${value}\nauid = ${name}\nscopes = read, run\n`;
      writeFileSync(tokenPath, entry('ana', anas) + entry('bob', BOBS), { mode: 0o600 });
    };
    keep(ANAS);
    const flags = ['--ip', '127.0.0.1', '--enableTokenAuth', '--tokenPath', tokenPath];
    server = await startServer({ folders, flags });
    const enter = async (page: Page, token: string) => {
      await page.getByLabel('Token').fill(token);
      await page.keyboard.press('Enter');
      await page.locator('.contact.live').waitFor();
    };
    const [ana, anaToo, bob] = [first, await beside(), await beside()];
    for (const page of [ana, anaToo, bob]) {
      await page.goto(`http://127.0.0.1:${server.port}/ui`);
      await enter(page, page === bob ? BOBS : ANAS);
    }
    const run = async (token: string, jid: string) => {
      const headers = { Authorization: `Bearer ${token}` };
      const { id } = await new ApiClient(server).submit({ command: 'true', jid }, headers);
      return id;
    };
    const sees = (page: Page, id: string) =>
      page.locator(`tr[data-id="${id}"]`).getByText('ok').waitFor();
    const anas = await run(ANAS, 'of-ana');
    const bobs = await run(BOBS, 'of-bob');
    await Promise.all([sees(ana, anas), sees(anaToo, anas), sees(bob, bobs)]);
    expect(await bob.locator('tr[data-id]').count()).toBe(1);
    keep(NEW_ANAS);
    for (const page of [ana, anaToo]) await page.getByText('It does not know that one.').waitFor();
    await enter(ana, NEW_ANAS);
    await sees(ana, await run(NEW_ANAS, 'next'));
    expect(await bob.locator('.contact.live').count()).toBe(1);
    expect(await anaToo.getByLabel('Token').count()).toBe(1);
  });
});
