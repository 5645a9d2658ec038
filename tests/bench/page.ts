import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { heapBytes, recordTasks } from '../helpers/mainThread.ts';
import { PageVisitor } from '../helpers/pageVisitor.ts';
import { makeFolders, startServer } from '../helpers/startServer.ts';
import { serveBarePage } from './barePage.ts';
import { writeHistory } from './writeHistory.ts';

/**
 * How soon the page can be used, and how it scrolls, with many jobs: in a real browser, on this host.
 * Usage: PMAN_TEST_CHROMIUM=… npm run bench:page [-- <jobs> [<folder of a history>]]
 */
const [jobsText = '10000', given] = process.argv.slice(2);
const jobs = Number(jobsText);
const ROUNDS = 7;
/** After so long nobody has anything left to do, in milliseconds: to ask a window earlier takes processor time from it. */
const QUIET_MS = 1500;

/** When rows could be used, in milliseconds since the first byte was asked for. */
async function usableMs(page: Page): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  return page.evaluate<number>("performance.getEntriesByName('pman usable')[0].startTime");
}

const root = mkdtempSync(join(tmpdir(), 'pman-page-'));
const folders = { ...makeFolders(root), ...(given !== undefined && { DBpath: given }) };
if (given === undefined) writeHistory({ jobs, folder: folders.DBpath });
const server = await startServer({ folders });
const bare = await serveBarePage();
const visitor = await PageVisitor.open({ hasScrollBars: true });
try {
  const address = `http://127.0.0.1:${server.port}/ui`;
  console.log('| ms until rows can be used | median | each |');
  console.log('| --- | --: | --- |');
  const told = (what: string, times: readonly number[]) => {
    const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
    console.log(
      `| ${[what, median?.toFixed(0), times.map((ms) => ms.toFixed(0)).join(' ')].join(' | ')} |`,
    );
  };
  const windows: [string, string, number[], number[]][] = [
    ['thirty rows of bare node:http', bare.address, [], []],
    ['the page', address, [], []],
  ];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [, url, first, again] of windows) {
      const page = await visitor.window();
      await page.goto(url, { waitUntil: 'commit' });
      first.push(await usableMs(page));
      await page.reload({ waitUntil: 'commit' });
      again.push(await usableMs(page));
      await visitor.leave();
    }
  }
  for (const [what, , first, again] of windows) {
    told(`${what}, in a new window`, first);
    told(`${what}, loaded again`, again);
  }

  const page = await visitor.window();
  await page.addInitScript(`
    globalThis.tasks = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.tasks.push(Math.round(duration));
    }).observe({ type: 'longtask', buffered: true });`);
  await page.goto(address);
  await page.locator('tr[data-id]').first().waitFor();
  const first = await page.evaluate<number[]>('globalThis.tasks.splice(0)');
  const frames = await page.evaluate<number[]>(`new Promise((resolve) => {
    const box = document.querySelector('.list');
    const gaps = [];
    let last = performance.now();
    const step = (now) => {
      gaps.push(now - last);
      last = now;
      const before = box.scrollTop;
      box.scrollTop += 400;
      if (gaps.length > 1500 || (box.scrollTop === before && gaps.length > 800)) resolve(gaps);
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  })`);
  const shown = await page.locator('.shown').textContent();
  const during = await page.evaluate<number[]>('globalThis.tasks');
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  console.log(`scrolled: ${shown?.trim()}, ${frames.length} frames`);
  console.log(`ms between frames: half ${at(0.5)}, 99 % ${at(0.99)}, longest ${at(0.9999)}`);
  console.log('tasks of more than 50 ms at the start:', first, 'while it scrolls:', during);

  // By the clock of the thread: other work on the machine counts for nothing here.
  console.log('| to the last row of all | s | longest task, ms of processor time | MiB more |');
  console.log('| --- | --: | --: | --: |');
  const box = await page.locator('.list').boundingBox();
  const { x = 0, y = 0, width = 0, height = 0 } = box ?? {};
  const last = page.getByText('history-0', { exact: true });
  const ways: Readonly<Record<string, () => Promise<void>>> = {
    'the key End': () => page.keyboard.press('End'),
    'the handle of the scroll bar': async () => {
      await page.mouse.move(x + width - 6, y + 24);
      await page.mouse.down();
      await page.mouse.move(x + width - 6, y + height + 24, { steps: 50 });
      await page.mouse.up();
    },
    'the wheel': async () => {
      await page.mouse.move(x + 300, y + 300);
      while ((await last.count()) === 0) await page.mouse.wheel(0, 8000);
    },
  };
  for (const [name, go] of Object.entries(ways)) {
    await page.locator('.list').evaluate((element) => {
      (element as unknown as { scrollTop: number }).scrollTop = 0;
    });
    await page.getByText(`history-${jobs - 1}`, { exact: true }).waitFor();
    const before = await heapBytes(page);
    const ended = await recordTasks(page);
    const beganAt = performance.now();
    await go();
    await last.waitFor();
    const seconds = (performance.now() - beganAt) / 1000;
    const [longest] = await ended();
    const more = ((await heapBytes(page)) - before) / 1024 / 1024;
    const cells = [name, seconds.toFixed(1), longest?.processorMs.toFixed(0), more.toFixed(1)];
    console.log(`| ${cells.join(' | ')} |`);
  }
} finally {
  await visitor.close();
  bare.close();
  await server.stop();
  server.endJobs();
  rmSync(root, { recursive: true, force: true });
}
