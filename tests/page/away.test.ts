import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

describeWithEngine('the page while its server is away', browserMissing, () => {
  const visitor = visitedBy();
  let server: TestServer;
  let page: Page;

  beforeEach(async () => {
    page = await visitor().window();
    server = await startServer();
  });
  afterEach(() => endServer(server));

  const open = (path: string) => openLive(page, server, path);

  it('says so, keeps what it shows, and goes on when pman was killed and is back', async () => {
    const api = new ApiClient(server);
    const gate = makeGate(server);
    const job = await api.submit({ command: `echo one; ${gate.wait}; echo two`, jid: 'survivor' });
    await open(`/ui/jobs/${job.id}`);
    const row = page.locator(`tr[data-id="${job.id}"]`);
    await row.getByText('running').waitFor();
    await page.getByRole('log').getByText('one').waitFor();
    const { port } = server;
    await server.kill9();
    await page.getByText(/Not connected since .* what you see is from then/).waitFor();
    await eventually(async () => (await page.title()).startsWith('(!)'));
    expect(await row.getByText('running').count()).toBe(1);
    const kill = page.getByRole('button', { name: 'Kill' });
    expect([await kill.isDisabled(), await kill.getAttribute('title')]).toEqual([
      true,
      'Not connected',
    ]);
    // It ends while nobody looks.
    gate.open();
    await server.restart(['--port', String(port)]);
    await page
      .getByRole('button', { name: 'Now' })
      .click({ timeout: 20_000 })
      .catch(() => undefined);
    await page.locator('.contact.live').waitFor({ timeout: 60_000 });
    await row.getByText('ok').waitFor();
    await page.locator('.panelHead').getByText('ok').waitFor();
    await page.getByRole('log').getByText('two').waitFor();
    expect(await page.title()).toBe('✓ survivor ok · pman');
    // It hears of what happens now, too.
    const next = await new ApiClient(server).submit({ command: 'true', jid: 'next' });
    await page.locator('.panel .back').click();
    await page.mouse.move(5, 5); // where it points, rows stay as they are
    await page.locator(`tr[data-id="${next.id}"]`).getByText('ok').waitFor();
  });

  it('has what needs the server off, with the reason, and on again when that is back', async () => {
    const api = new ApiClient(server);
    const gate = makeGate(server);
    const job = await api.submit({ command: `echo one; ${gate.wait}`, shell: true });
    await open(`/ui/jobs/${job.id}#L1`);
    await page.getByRole('log').getByText('one').waitFor();
    const panel = page.locator('.panel');
    const all = [
      ...['Raw', 'Download', 'Next hit', 'Previous hit', 'Rerun'].map((name) =>
        panel.getByRole('button', { name, exact: true }),
      ),
      panel.getByRole('checkbox', { name: 'stderr' }),
    ];
    const stand = () =>
      Promise.all(
        all.map(async (one) => [await one.isDisabled(), await one.getAttribute('title')]),
      );
    await panel.getByRole('button', { name: 'Kill' }).click();
    const answer = page.getByRole('dialog').getByRole('button', { name: 'Kill 1' });
    await answer.waitFor();
    const { port } = server;
    await server.kill9();
    await page.getByText(/Not connected since/).waitFor();
    expect([await answer.isDisabled(), await answer.getAttribute('title')]).toEqual([
      true,
      'Not connected',
    ]);
    await page.keyboard.press('Escape');
    expect(await stand()).toEqual(all.map(() => [true, 'Not connected']));
    // Keys and fields say it, too.
    const said = panel.locator('.log-count');
    expect(await said.textContent()).toBe('');
    await page.keyboard.press('y');
    await said.getByText('Not connected').waitFor();
    await page.getByLabel('Find in the log').fill('one');
    await page.keyboard.press('Enter');
    await said.getByText('Not connected').waitFor();
    gate.open();
    await server.restart(['--port', String(port)]);
    await page.locator('.contact.live').waitFor({ timeout: 60_000 });
    expect((await stand()).flat()).not.toContain('Not connected');
    expect(await said.textContent()).toBe('');
    await page.getByLabel('Find in the log').press('Enter');
    await said.getByText('1/1').waitFor();
  });

  it('brings what was loaded further down up to date as well', async () => {
    const api = new ApiClient(server);
    const gate = makeGate(server);
    const first = await api.submit({ command: gate.wait, jid: 'far-down' });
    for (let n = 0; n < 150; n += 1) await api.submit({ command: 'true' });
    await open('/ui');
    const list = page.locator('.list');
    const end = async () => {
      await list.evaluate((element) => {
        const box = element as unknown as { scrollTop: number; scrollHeight: number };
        box.scrollTop = box.scrollHeight;
      });
      return (await page.locator(`tr[data-id="${first.id}"]`).count()) === 1;
    };
    await eventually(end);
    const { port } = server;
    await server.kill9();
    await page.getByText(/Not connected since/).waitFor();
    gate.open();
    await server.restart(['--port', String(port)]);
    await page.locator('.contact.live').waitFor({ timeout: 60_000 });
    await page.locator(`tr[data-id="${first.id}"]`).getByText('ok').waitFor();
  });
});
