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
    // What was typed is there again, until one starts over.
    expect(await command().inputValue()).toBe('echo 123');
    await page.getByRole('button', { name: 'Start over' }).click();
    expect(await command().inputValue()).toBe('');
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

  const count = async () => (await api.page('?limit=1000')).jobs.length;
  const field = (name: string) => page.locator(`#field-${name}`);
  const send = () => page.locator('form.job button[type=submit]').click();
  const openNew = async (line: string) => {
    await open('/ui/new');
    await field('memory').waitFor();
    await command().fill(line);
  };
  const openRerun = async () => {
    await page.locator('.deeds').getByRole('button', { name: 'Rerun' }).click();
    await page.getByRole('dialog').getByText('host runs it.').waitFor();
  };
  const newest = async () => {
    const [job] = (await api.page('?limit=1')).jobs;
    if (job === undefined) throw new Error('there is no job');
    return job;
  };

  it('takes away what was emptied when a job is sent again, and keeps the rest', async () => {
    const labels = { a: ' x ', k: 'line1\nline2' };
    const limits = { timeout: 30, memory: '512Mi', nice: 5 };
    const { id } = await api.submit({
      command: 'true',
      cwd: '/tmp',
      jid: 'full',
      labels,
      ...limits,
    });
    await open(`/ui/jobs/${id}`);
    await openRerun();
    for (const name of ['timeout', 'memory', 'nice', 'cwd']) await field(name).fill('');
    await field('labels').press('ControlOrMeta+End');
    await field('labels').pressSequentially('\nnew=1');
    await send();
    await page.getByText('is accepted.').waitFor();
    const job = await newest();
    expect(job.asked).toMatchObject({ timeout: null, memory: null, nice: null });
    expect([job.cwd === '/tmp', job.jid]).toEqual([false, 'full']);
    expect(job.labels).toEqual({ ...labels, new: '1' });
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await openRerun();
    for (const name of ['labels', 'jid']) await field(name).fill('');
    await send();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const bare = await newest();
    expect([bare.labels, bare.jid]).toEqual([{}, null]);
  });

  it('says beside a field what cannot be meant there, and sends nothing', async () => {
    await openNew('true');
    const before = await count();
    for (const [text, message] of [
      ['noequals', 'is not of the form'],
      ['a=1\na=2', 'a is there twice'],
      ['a="1', 'is no text of JSON'],
    ] as const) {
      await field('env').fill(text);
      await send();
      await page.locator('.field:has(#field-env) .failure').getByText(message).waitFor();
      expect(await field('env').getAttribute('aria-invalid')).toBe('true');
    }
    expect(await count()).toBe(before);
    await field('env').fill('A= lead and trail ');
    expect(await page.locator('.failure').count()).toBe(0);
    await command().fill('echo "[$A]"');
    await send();
    await page.getByRole('log').getByText('[ lead and trail ]').waitFor();
  });

  it('shows a refusal where it is seen on a phone, at the field that it is about', async () => {
    await page.setViewportSize({ width: 390, height: 700 });
    await openNew('true');
    const isSeen = async () => {
      const box = await page.locator('.failure').boundingBox();
      return box !== null && box.y >= 0 && box.y + box.height <= 700;
    };
    const isTold = async (name: string) => [
      await page.locator(':focus').getAttribute('id'),
      await field(name).getAttribute('aria-invalid'),
      await field(name).getAttribute('aria-describedby'),
    ];
    await field('memory').fill('lots');
    await command().press('Control+Enter');
    await page.locator('#field-memory-error').getByText('512Mi').waitFor();
    expect(await isSeen()).toBe(true);
    expect(await isTold('memory')).toEqual([
      ...['field-memory', 'true', 'field-memory-error field-memory-help'],
    ]);
    await field('memory').fill('');
    await field('cwd').fill('/nowhere/at/all');
    await field('cwd').press('Enter');
    await page.locator('#field-cwd-error').waitFor();
    expect(await isSeen()).toBe(true);
    expect(await isTold('cwd')).toEqual([
      ...['field-cwd', 'true', 'field-cwd-error field-cwd-help'],
    ]);
    visitor().complaints = [];
  });
});
