import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { writeHistory } from '../bench/writeHistory.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { heapBytes, type MainTask, recordTasks } from '../helpers/mainThread.ts';
import { processorMs } from '../helpers/patience.ts';
import { endServer } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

const JOBS = 100_000;
/** So many at each end have records; a hundred thousand would be a million files. */
const WHOLE = 300;
/** In processor time: the machine may do other work. */
const LONGEST_MS = 50;
const MIB = 1024 * 1024;

describeWithEngine('a list of 100,000 jobs', browserMissing, () => {
  const visitor = visitedBy({ hasScrollBars: true });
  let server: TestServer;
  let page: Page;

  beforeAll(async () => {
    const folders = makeFolders();
    const isThin = (n: number) => n >= WHOLE && n < JOBS - WHOLE;
    writeHistory({ jobs: JOBS, folder: folders.DBpath, isThin });
    server = await startServer({ folders, readyMs: 60_000 });
  }, 600_000);
  beforeEach(async () => {
    page = await visitor().window();
    page.setDefaultTimeout(60_000);
    await openLive(page, server, '/ui');
    await newest().waitFor();
  });
  afterAll(() => endServer(server));

  const newest = () => page.getByText(`history-${JOBS - 1}`, { exact: true });
  const oldest = () => page.getByText('history-0', { exact: true });

  /** Does something, and looks at what that has taken: no long task, no more rows in the page, no growing memory. */
  async function isLight(act: () => Promise<void>): Promise<void> {
    const before = await heapBytes(page);
    const ended = await recordTasks(page);
    let tasks: readonly MainTask[];
    try {
      await act();
    } finally {
      tasks = await ended();
    }
    expect(tasks.length).toBeGreaterThan(10);
    expect(tasks[0]?.processorMs).toBeLessThan(processorMs(LONGEST_MS));
    expect(await page.locator('tr[data-id]').count()).toBeLessThan(80);
    expect((await heapBytes(page)) - before).toBeLessThan(8 * MIB);
  }

  it('is at its end with the key End, and at its top with Home', async () => {
    await isLight(async () => {
      await page.keyboard.press('End');
      await oldest().waitFor();
      await page.keyboard.press('Home');
      await newest().waitFor();
    });
  }, 120_000);

  it('gives its last row the focus with G, and goes on from there', async () => {
    await isLight(async () => {
      await page.keyboard.press('G');
      await page.locator('tr:focus-within').getByText('history-0', { exact: true }).waitFor();
      for (let n = 0; n < 40; n += 1) await page.keyboard.press('k');
      await page.locator('tr:focus-within').getByText('history-40', { exact: true }).waitFor();
      await page.keyboard.press('g');
      await page.keyboard.press('g');
      await page
        .locator('tr:focus-within')
        .getByText(`history-${JOBS - 1}`, { exact: true })
        .waitFor();
    });
  }, 120_000);

  it('is gone through by its scroll bar, down to the last row and back', async () => {
    const box = await page.locator('.list').boundingBox();
    if (box === null) throw new Error('there is no list');
    // Above the handle is a button.
    const [x, top, bottom] = [box.x + box.width - 6, box.y + 24, box.y + box.height + 24];
    await isLight(async () => {
      await page.mouse.move(x, top);
      await page.mouse.down();
      for (let step = 1; step <= 50; step += 1) {
        await page.mouse.move(x, top + ((bottom - top) * step) / 50);
      }
      await oldest().waitFor();
      await page.mouse.move(x, top);
      await newest().waitFor();
      await page.mouse.up();
    });
  }, 120_000);

  it('is gone through by the wheel, down to the last row', async () => {
    await page.mouse.move(300, 400);
    await isLight(async () => {
      for (let n = 0; (await oldest().count()) === 0 && n < 5000; n += 1) {
        await page.mouse.wheel(0, 8000);
      }
      await oldest().waitFor();
    });
    // What is there is beside each other: rows of the list, without one missing or twice.
    const names = await page.locator('td.name').allTextContents();
    expect(names).toEqual(names.map((_, i) => `history-${names.length - 1 - i}`));
  }, 300_000);
});
