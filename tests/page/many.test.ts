import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { writeHistory } from '../bench/writeHistory.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { PageVisitor } from '../helpers/pageVisitor.ts';
import { endServer } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

const JOBS = 1200;

describeWithEngine('a list of many jobs', browserMissing, () => {
  let visitor: PageVisitor;
  let server: TestServer;
  let page: Page;

  beforeAll(async () => {
    const folders = makeFolders();
    writeHistory({ jobs: JOBS, folder: folders.DBpath });
    visitor = await PageVisitor.open();
    server = await startServer({ folders });
  });
  afterEach(async () => {
    await visitor.leave();
    expect(visitor.complaints).toEqual([]);
  });
  afterAll(async () => {
    await visitor.close();
    await endServer(server);
  });

  const mounted = () => page.locator('tr[data-id]').count();
  /** Goes to the end of what is loaded. */
  const down = () =>
    page.locator('.list').evaluate((element) => {
      const box = element as unknown as { scrollTop: number; scrollHeight: number };
      box.scrollTop = box.scrollHeight;
    });

  it('comes with one request and one stream, and is loaded further as it is scrolled', async () => {
    page = await visitor.window();
    const asked: string[] = [];
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith('/api/')) asked.push(pathname);
    });
    await page.goto(`http://127.0.0.1:${server.port}/ui`);
    await page.getByText('history-1199', { exact: true }).waitFor();
    await page.locator('.contact.live').waitFor();
    await page.getByText(`100 of ${JOBS}`).waitFor();
    await eventually(() => asked.length === 2);
    expect(asked).toEqual(['/api/v2/jobs', '/api/v2/events']);
    expect(await mounted()).toBeLessThan(80);
    const first = page.getByText('history-0', { exact: true });
    await eventually(async () => {
      await down();
      return (await first.count()) === 1;
    });
    // However far one has come, no more rows are in the page.
    expect(await mounted()).toBeLessThan(80);
    await page.getByText(`${JOBS} of ${JOBS}`).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('g');
    await page.getByText('history-1199', { exact: true }).waitFor();
    await page.keyboard.press('G');
    await first.waitFor();
  });

  it('counts what fits, and finds one of them', async () => {
    page = await visitor.window();
    await page.goto(`http://127.0.0.1:${server.port}/ui?state=failed`);
    await page.getByText(`100 of ${JOBS / 10}`).waitFor();
    await page.getByRole('searchbox').fill('history-1099');
    await page.getByText('1 of 1').waitFor();
    await page.locator('.filter.ok').getByText('0 ok').waitFor();
  });

  it('stays where one has scrolled to when jobs come', async () => {
    page = await visitor.window();
    const api = new ApiClient(server);
    await page.goto(`http://127.0.0.1:${server.port}/ui`);
    // What is not loaded yet cannot be scrolled to.
    await page.getByText(`100 of ${JOBS}`).waitFor();
    const row = page.getByText('history-1150', { exact: true });
    await page.locator('.list').evaluate((element) => {
      (element as unknown as { scrollTop: number }).scrollTop = 49 * 32;
    });
    await row.waitFor();
    const before = await row.boundingBox();
    for (let n = 0; n < 3; n += 1) await api.submit({ command: 'true' });
    await page.getByText('▲ 3 new jobs').waitFor();
    expect(await row.boundingBox()).toEqual(before);
    await page.getByText('▲ 3 new jobs').click();
    await eventually(
      async () =>
        (await page.locator('tr[data-id]').first().textContent())?.includes('true') === true,
    );
  });
});
