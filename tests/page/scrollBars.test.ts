import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { pretendJobs } from '../helpers/madeUpJobs.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

describeWithEngine('the page where scroll bars take room', browserMissing, () => {
  const visitor = visitedBy({ hasScrollBars: true });
  let server: TestServer;
  let api: ApiClient;

  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
  });
  afterAll(() => endServer(server));

  const numberOf = (page: Page, expression: string) => page.evaluate<number>(expression);

  it.each([320, 800, 1200])(
    'has columns that fill a list longer than its window, and a name in each row: %d pixels',
    async (width) => {
      const page = await visitor().window({ width });
      await pretendJobs(page, 5000);
      await openLive(page, server, '/ui');
      await page.getByText('5000 jobs').waitFor();
      const right = (selector: string) =>
        numberOf(page, `document.querySelector('${selector}').getBoundingClientRect().right`);
      const last = width > 840 ? 'th.command' : 'th.time';
      expect(Math.abs((await right(last)) - (await right('.list table')))).toBeLessThan(1);
      const name = await page.locator('tr[data-id] .name').first().boundingBox();
      expect(name?.width).toBeGreaterThan(60);
      const wide =
        "document.querySelector('.list').scrollWidth - document.querySelector('.list').clientWidth";
      expect(await numberOf(page, wide)).toBe(0);
    },
  );

  it('calls a job without a name by its program, as pman ls does', async () => {
    const { id } = await api.submit({ command: 'A=1 /usr/bin/env true' });
    const page = await visitor().window();
    await openLive(page, server, '/ui');
    await page.locator(`tr[data-id="${id}"] .name`).getByText('env', { exact: true }).waitFor();
  });

  it('has a scroll bar below a log only where its lines are wider than the window', async () => {
    const page = await visitor().window();
    const beyond = () =>
      numberOf(
        page,
        '(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector(".log-scroller"))',
      );
    for (const [command, isWide] of [
      ['seq 1 3000', false],
      [`seq 1 3000; head -c 3000 /dev/zero | tr '\\0' x`, true],
    ] as const) {
      const { id } = await api.submit({ command, shell: true });
      await api.job(id, '?wait=20s');
      await openLive(page, server, `/ui/jobs/${id}`);
      await page.getByRole('log').getByText('3000', { exact: true }).waitFor();
      await eventually(async () => (await beyond()) > 0 === isWide);
    }
  });

  it('keeps its place in a list that a narrow window hides behind a job', async () => {
    for (const jobs of [5000, 3_000_000]) {
      const page = await visitor().window({ width: 600 });
      await pretendJobs(page, jobs);
      await openLive(page, server, '/ui');
      await page.getByText(`${jobs} jobs`).waitFor();
      for (let n = 0; n < 60; n += 1) await page.keyboard.press('j');
      const chosen = page.locator('tr:focus-within');
      const before = await chosen.boundingBox();
      const id = await chosen.getAttribute('data-id');
      await page.keyboard.press('Enter');
      await page.locator('.view.job').waitFor();
      await page.keyboard.press('j');
      await page.keyboard.press('Escape');
      const row = page.locator(`tr[data-id="${id}"]`);
      await row.waitFor();
      await eventually(async () => (await row.boundingBox())?.y === before?.y);
    }
  });

  it('finds in the log that is open with /, wherever one came from', async () => {
    const { id } = await api.submit({ command: 'echo something', jid: 'to-find' });
    await api.job(id, '?wait=20s');
    const page = await visitor().window();
    await openLive(page, server, '/ui');
    await page.locator(`tr[data-id="${id}"] a`).click();
    await page.getByRole('log').getByText('something').waitFor();
    const focused = () => page.evaluate<string>('document.activeElement.placeholder');
    await page.keyboard.press('/');
    expect(await focused()).toBe('/ find in log');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.locator('.view.jobs').waitFor();
    await page.keyboard.press('/');
    expect(await focused()).toBe('/ search jobs');
  });
});
