import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { Job } from '../../lib/client/index.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

describeWithEngine('the keys of the page', browserMissing, () => {
  const visitor = visitedBy();
  let server: TestServer;
  let job: Job;
  let page: Page;

  beforeAll(async () => {
    server = await startServer();
    const api = new ApiClient(server);
    const { id } = await api.submit({ command: 'seq 1 1000', jid: 'long-log' });
    job = await api.job(id, '?wait=20s');
  });
  beforeEach(async () => {
    page = await visitor().window();
  });
  afterAll(() => endServer(server));

  const open = (path: string) => openLive(page, server, path);
  const number = (line: number) => page.locator(`[data-line="${line}"] .log-number`);
  const copied = () => page.evaluate<string>('navigator.clipboard.readText()');
  const markLines = async () => {
    // They come into view.
    await page.getByLabel('Find in the log').fill('/^300$/');
    await page.keyboard.press('Enter');
    await number(300).click();
    await number(303).click({ modifiers: ['Shift'] });
    await eventually(async () => (await page.locator('.log-marked').count()) === 4);
    expect(new URL(page.url()).hash).toBe('#L300-L303');
  };
  const copiesLines = async () => {
    await page.keyboard.press('y');
    await page.getByText('The text is copied.').waitFor();
    expect(await copied()).toBe('300\n301\n302\n303');
  };

  it('copy the lines whose numbers were clicked, and with none the id', async () => {
    await open(`/ui/jobs/${job.id}`);
    await page.locator('.log-row').first().waitFor();
    await page.keyboard.press('y');
    await page.getByText('The id is copied.').waitFor();
    expect(await copied()).toBe(job.id);
    await markLines();
    await copiesLines();
  });

  it('copy the lines also of a job that was opened by keys', async () => {
    await open('/ui');
    await page.locator(`tr[data-id="${job.id}"]`).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.locator('.log-row').first().waitFor();
    await markLines();
    await copiesLines();
  });

  it('copy the lines that the address names, and the id of a row that has the focus', async () => {
    await open(`/ui/jobs/${job.id}#L300-L303`);
    await eventually(async () => (await page.locator('.log-marked').count()) === 4);
    await copiesLines();
    await page.locator(`tr[data-id="${job.id}"]`).getByRole('link').focus();
    await page.keyboard.press('y');
    await page.getByText('The id is copied.').waitFor();
    expect(await copied()).toBe(job.id);
  });

  it.each(['New job', 'Server'])(
    'of the list do nothing on %s, where it is not shown',
    async (view) => {
      await open(`/ui/jobs/${job.id}`);
      await page.locator('.panelHead').getByText('ok').waitFor();
      await page.getByRole('link', { name: view }).click();
      await page.getByRole('heading', { name: view }).waitFor();
      // What is typed into a field is no order at all.
      await page.evaluate('document.activeElement.blur()');
      await page.evaluate("navigator.clipboard.writeText('as before')");
      const before = page.url();
      for (const key of [...'123456jkGxyKR']) await page.keyboard.press(key);
      expect(page.url()).toBe(before);
      expect([await page.getByRole('dialog').count(), await copied()]).toEqual([0, 'as before']);
      // These are for all views.
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('/');
      expect(await page.evaluate<string>('document.activeElement.id')).toBe('search');
      await page.getByRole('link', { name: 'Jobs', exact: true }).click();
      await page.locator(`tr[data-id="${job.id}"]`).waitFor();
      expect(await page.locator('.selection').count()).toBe(0);
    },
  );

  it('of the list do nothing beside a job in a window that is too narrow for both', async () => {
    page = await visitor().window({ width: 320, height: 640 });
    await open(`/ui/jobs/${job.id}`);
    await page.locator('.panelHead').getByText('ok').waitFor();
    const isListSeen = await page.locator('.list').isVisible();
    await page.keyboard.press('3');
    expect([isListSeen, page.url().includes('state=')]).toEqual([false, false]);
  });
});
