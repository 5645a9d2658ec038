import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { writeHistory } from '../bench/writeHistory.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { holdLists } from '../helpers/heldLists.ts';
import { endServer } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

const JOBS = 1200;

describeWithEngine('a list of many jobs', browserMissing, () => {
  const visitor = visitedBy();
  let server: TestServer;
  let page: Page;

  beforeAll(async () => {
    const folders = makeFolders();
    writeHistory({ jobs: JOBS, folder: folders.DBpath });
    server = await startServer({ folders });
  });
  beforeEach(async () => {
    page = await visitor().window();
  });
  afterAll(() => endServer(server));

  const mounted = () => page.locator('tr[data-id]').count();
  /** Goes to the end of what is loaded. */
  const down = () =>
    page.locator('.list').evaluate((element) => {
      const box = element as unknown as { scrollTop: number; scrollHeight: number };
      box.scrollTop = box.scrollHeight;
    });

  it('is drawn once with the jobs that are seen; spare rows and the log viewer come behind that', async () => {
    // A busy machine takes longer for the first answer than the page waits for it, and would have an empty page drawn.
    await page.addInitScript(`
      const { setTimeout } = globalThis;
      globalThis.setTimeout = (act, ms, ...more) => setTimeout(act, ms === 100 ? 60_000 : ms, ...more);
      globalThis.drawn = [];
      new MutationObserver(() => {
        const page = document.getElementById('page');
        if (page?.firstChild) drawn.push(page.querySelectorAll('tr[data-id]').length);
      }).observe(document, { childList: true, subtree: true });`);
    await openLive(page, server, '/ui');
    const drawn = () => page.evaluate<number[]>('drawn');
    await eventually(async () => ((await drawn()).at(-1) ?? 0) > 24, { message: 'spare rows' });
    const [first = 0] = await drawn();
    // The window is 720 pixels high, a row 32.
    expect(first).toBeGreaterThan(15);
    expect(first).toBeLessThanOrEqual(23);
    const loaded = () =>
      page.evaluate<number[]>(`performance.getEntriesByType('resource')
        .filter(({ name }) => name.includes('laterParts')).map(({ startTime }) => startTime)`);
    await eventually(async () => (await loaded()).length === 1, { message: 'the log viewer' });
    const [usable] = await page.evaluate<number[]>(
      "performance.getEntriesByName('pman usable').map(({ startTime }) => startTime)",
    );
    expect((await loaded())[0]).toBeGreaterThan(usable ?? Number.POSITIVE_INFINITY);
  });

  it('draws nothing anew for a scroll by a few rows', async () => {
    await openLive(page, server, '/ui');
    await eventually(async () => (await mounted()) > 30, { message: 'spare rows' });
    const drawn = await page.evaluate<number>(`new Promise((resolve) => {
      const box = document.querySelector('.list');
      let changes = 0;
      new MutationObserver((list) => { changes += list.length; }).observe(box, { childList: true, subtree: true });
      let steps = 0;
      const step = () => {
        box.scrollTop += 32;
        steps += 1;
        // The last one is behind the rows that were drawn: it shows that a change would be seen.
        if (steps === 6) box.dataset.changes = String(changes);
        if (steps === 6) box.scrollTop += 1000;
        if (steps < 8) requestAnimationFrame(step);
        else resolve(changes > 0 ? Number(box.dataset.changes) : -1);
      };
      requestAnimationFrame(step);
    })`);
    expect(drawn).toBe(0);
  });

  it('shows that it waits for a server that takes its time', async () => {
    const answer = await holdLists(page);
    await page.goto(`http://127.0.0.1:${server.port}/ui`);
    await page.locator('.top').getByText('connecting').waitFor();
    expect(await mounted()).toBe(0);
    answer();
    await page.getByText('history-1199', { exact: true }).waitFor();
  });

  it('is asked for while the scripts are on their way, unless the address asks for something else', async () => {
    /** Requests for a list, as [what made it, whether it began before the script was there]. */
    const lists = () =>
      page.evaluate<[string, boolean][]>(`(() => {
        const all = performance.getEntriesByType('resource');
        const script = all.find(({ name }) => /page-.*js$/.test(name));
        return all.filter(({ name }) => name.includes('/api/v2/jobs?'))
          .map((one) => [one.initiatorType, one.startTime < script.responseEnd]);
      })()`);
    await openLive(page, server, '/ui');
    expect(await lists()).toEqual([['link', true]]);
    for (const address of ['/ui?q=history-7', '/ui/server']) {
      await openLive(page, server, address);
      expect((await lists()).map(([by]) => by)).toEqual(['fetch']);
    }
  });

  it('comes with one request beside the stream, and is loaded further as it is scrolled', async () => {
    const asked: string[] = [];
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith('/api/')) asked.push(pathname);
    });
    await openLive(page, server, '/ui');
    await page.getByText('history-1199', { exact: true }).waitFor();
    await page.getByText(`${JOBS} jobs`).waitFor();
    // The stream is that of all windows.
    expect(asked).toEqual(['/api/v2/jobs']);
    await page
      .locator('.top')
      .getByText(/^up \d+(s|m\d\ds|m)$/)
      .waitFor();
    expect(await mounted()).toBeLessThan(80);
    const first = page.getByText('history-0', { exact: true });
    await eventually(async () => {
      await down();
      return (await first.count()) === 1;
    });
    // However far one has come, no more rows are in the page.
    expect(await mounted()).toBeLessThan(80);
    await page.keyboard.press('g');
    await page.keyboard.press('g');
    await page.getByText('history-1199', { exact: true }).waitFor();
    await page.keyboard.press('G');
    await first.waitFor();
  });

  it('counts what fits, and finds one of them', async () => {
    await openLive(page, server, '/ui?state=failed');
    await page.getByText(`${JOBS / 10} jobs`).waitFor();
    await page.getByRole('searchbox').fill('history-1099');
    await page.locator('.shown').getByText('1 job', { exact: true }).waitFor();
    await page.locator('.filter.ok').getByText('0 ok').waitFor();
  });

  it('stays where one has scrolled to when jobs come', async () => {
    const api = new ApiClient(server);
    await openLive(page, server, '/ui');
    await page.getByText(`${JOBS} jobs`).waitFor();
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

  it('acts on all that match, and says how many that are, also those that were never loaded', async () => {
    await openLive(page, server, '/ui?state=failed');
    await page.getByText(`${JOBS / 10} jobs`).waitFor();
    await page.getByRole('checkbox').first().check();
    await page.getByText(`selected 1 of ${JOBS / 10} that match`).waitFor();
    await page.getByRole('button', { name: `Select all ${JOBS / 10}` }).click();
    await page.getByText(`selected ${JOBS / 10} of ${JOBS / 10} that match`).waitFor();
    await page.getByRole('button', { name: `Delete ${JOBS / 10}` }).click();
    await page
      .getByRole('dialog')
      .getByText(`Delete ${JOBS / 10} jobs?`)
      .waitFor();
    await page.getByRole('button', { name: 'No', exact: true }).click();
  });

  it('acts by K and R on what x has selected, and on nothing else', async () => {
    await openLive(page, server, '/ui?state=failed');
    await page.getByText(`${JOBS / 10} jobs`).waitFor();
    const { keyboard } = page;
    await keyboard.press('j');
    await keyboard.press('x');
    await keyboard.press('j');
    await keyboard.press('x');
    await keyboard.press('j');
    await page.getByText('selected 2 of').waitFor();
    // They have ended: there is nothing to kill.
    await keyboard.press('K');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await keyboard.press('R');
    const question = page.getByRole('dialog');
    await question.getByText('Rerun 2 jobs?').waitFor();
    expect(await question.locator('.names li').allTextContents()).toEqual([
      expect.stringMatching(/ history-1199$/),
      expect.stringMatching(/ history-1189$/),
    ]);
    await keyboard.press('Escape');
    await keyboard.press('Escape');
    expect(await page.getByText('selected 2 of').count()).toBe(0);
  });

  it('begins at the top when other jobs are asked for', async () => {
    await openLive(page, server, '/ui');
    await page.getByText(/12\d\d jobs/).waitFor();
    await down();
    await page.getByText('history-0', { exact: true }).waitFor();
    await page.locator('.filter.failed').click();
    await page.getByText('history-1199', { exact: true }).waitFor();
    expect(
      await page.locator('.list').evaluate((e) => (e as { scrollTop?: number }).scrollTop),
    ).toBe(0);
  });
});
