import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

describeWithEngine('the form of a job', browserMissing, () => {
  const visitor = visitedBy();
  let server: TestServer;
  let api: ApiClient;
  let page: Page;

  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
  });
  beforeEach(async () => {
    page = await visitor().window();
  });
  afterAll(() => endServer(server));

  const open = (path: string) => openLive(page, server, path);
  const command = () => page.getByLabel('Command', { exact: true });
  const oneShell = () => page.getByRole('dialog').getByLabel('One shell');
  const rerun = async (jid: string, change: () => Promise<void> = async () => {}) => {
    await page.getByRole('button', { name: 'Rerun' }).click();
    await page.getByRole('dialog').getByText('host runs it.').waitFor();
    const wasTicked = await oneShell().isChecked();
    await page.getByLabel('Name', { exact: true }).fill(jid);
    await change();
    await page.getByRole('dialog').getByRole('button', { name: 'Rerun' }).click();
    await page.getByRole('heading', { name: jid }).waitFor();
    const [job] = (await api.page(`?jid=${jid}`)).jobs;
    return [wasTicked, job?.shell];
  };

  it('takes what one types as the command, at once', async () => {
    await open('/ui');
    await page.getByRole('link', { name: 'New job' }).click();
    await page.getByRole('heading', { name: 'New job' }).waitFor();
    await page.keyboard.type('echo 123');
    expect(await command().inputValue()).toBe('echo 123');
    // The way back is the same as from a search.
    await page.keyboard.press('Escape');
    expect(await page.locator('form.job').count()).toBe(1);
    await page.keyboard.press('Escape');
    await page.locator('.list').waitFor();
    await page.getByRole('link', { name: 'New job' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'New job' }).waitFor();
    await page.keyboard.type('true');
    expect(await command().inputValue()).toBe('true');
    await page.reload();
    await page.locator('.contact.live').waitFor();
    await page.keyboard.type('false');
    expect(await command().inputValue()).toBe('false');
  });

  it('says whether the former job had one shell, and keeps or changes that', async () => {
    const line = { command: 'A=kept; echo "$A"', shell: true, jid: 'as-a-whole' };
    const { id } = await api.submit(line);
    await open(`/ui/jobs/${id}`);
    expect(await rerun('still-whole')).toEqual([true, true]);
    await page.getByRole('log').getByText('kept').waitFor();
    expect(await rerun('split-now', () => oneShell().uncheck())).toEqual([true, false]);
    await page.getByRole('tab', { name: 'Parts' }).click();
    await page.locator('.parts tbody tr').nth(1).waitFor();
    expect(await rerun('whole-again', () => oneShell().check())).toEqual([false, true]);
  });
});
