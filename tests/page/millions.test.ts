import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { pretendJobs } from '../helpers/madeUpJobs.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

/** Rows of 96 million pixels: three times what Chromium makes of an element, six times what Firefox does. */
const JOBS = 3_000_000;
const ROW = 32;
const HEAD = 28;

describeWithEngine('a list of three million jobs', browserMissing, () => {
  const visitor = visitedBy({ hasScrollBars: true });
  let server: TestServer;
  let page: Page;

  beforeAll(async () => {
    server = await startServer();
  });
  beforeEach(async () => {
    page = await visitor().window();
    page.setDefaultTimeout(60_000);
    await pretendJobs(page, JOBS);
    await openLive(page, server, '/ui');
    await newest().waitFor();
  });
  afterAll(() => endServer(server));

  const named = (n: number) => page.getByText(`made-up-${n}`, { exact: true });
  const newest = () => named(JOBS - 1);
  const oldest = () => named(0);

  interface Seen {
    /** The number of the first job whose row is below the head of the table as a whole. */
    readonly first: number;
    /** How far its row is below the head, in pixels. */
    readonly below: number;
    readonly names: readonly string[];
    /** How high the whole is that is scrolled. */
    readonly height: number;
  }

  const seen = (): Promise<Seen> =>
    page.evaluate((head) => {
      type Box = { top: number; bottom: number };
      type Node = {
        textContent: string;
        scrollHeight: number;
        getBoundingClientRect(): Box;
        querySelector(selector: string): Node;
        querySelectorAll(selector: string): Iterable<Node>;
      };
      const { document } = globalThis as unknown as { document: Node };
      const list = document.querySelector('.list');
      const { top, bottom } = list.getBoundingClientRect();
      const rows = [...list.querySelectorAll('tr[data-id]')].map((row) => {
        const box = row.getBoundingClientRect();
        return {
          ...{ name: row.querySelector('.name').textContent },
          top: box.top,
          bottom: box.bottom,
        };
      });
      const inView = rows.filter((row) => row.top > top + head - 1 && row.bottom < bottom + 1);
      return {
        first: Number(inView[0]?.name.split('-').at(-1)),
        below: (inView[0]?.top ?? 0) - top - head,
        names: inView.map(({ name }) => name),
        height: list.scrollHeight,
      };
    }, HEAD);
  /** Waits until rows stand in view, one beside the other, and nothing moves any more. */
  const rest = async (): Promise<Seen> => {
    let last = await seen();
    await eventually(async () => {
      const before = JSON.stringify(last);
      last = await seen();
      return last.names.length > 10 && JSON.stringify(last) === before;
    });
    expect(last.names).toEqual(last.names.map((_, i) => `made-up-${last.first - i}`));
    return last;
  };

  it('has its first and its last row at the ends, by keys and by the handle, and no element that is too high', async () => {
    expect((await rest()).height).toBeLessThanOrEqual(15_000_000 + ROW + HEAD);
    await page.keyboard.press('End');
    await oldest().waitFor();
    expect((await rest()).names.at(-1)).toBe('made-up-0');
    await page.keyboard.press('Home');
    await newest().waitFor();
    await page.keyboard.press('G');
    await page.locator('tr:focus-within').getByText('made-up-0', { exact: true }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('g');
    await page
      .locator('tr:focus-within')
      .getByText(`made-up-${JOBS - 1}`, { exact: true })
      .waitFor();
    const box = await page.locator('.list').boundingBox();
    if (box === null) throw new Error('there is no list');
    const [x, top, bottom] = [box.x + box.width - 6, box.y + 24, box.y + box.height + 24];
    await page.mouse.move(x, top);
    await page.mouse.down();
    await page.mouse.move(x, (top + bottom) / 2, { steps: 20 });
    const middle = await rest();
    expect(middle.first).toBeGreaterThan(JOBS * 0.4);
    expect(middle.first).toBeLessThan(JOBS * 0.6);
    await page.mouse.move(x, bottom, { steps: 20 });
    await oldest().waitFor();
    await page.mouse.move(x, top - 40, { steps: 20 });
    await newest().waitFor();
    await page.mouse.up();
  }, 180_000);

  it('moves by the rows that the wheel and the keys say, at the top, in the middle and at the end', async () => {
    await page.mouse.move(300, 400);
    const by = async (act: () => Promise<void>): Promise<number> => {
      const before = await rest();
      const place = ({ first, below }: Seen) => (JOBS - 1 - first) * ROW - below;
      await act();
      await eventually(async () => place(await seen()) !== place(before));
      return place(await rest()) - place(before);
    };
    /** Whole rows, but for the pixel that a window of a height with a fraction makes. */
    const rowsBy = async (act: () => Promise<void>): Promise<number> => {
      const pixels = await by(act);
      const rows = Math.round(pixels / ROW);
      expect(Math.abs(pixels - rows * ROW)).toBeLessThanOrEqual(1);
      return rows;
    };
    const wheel = (rows: number) => rowsBy(() => page.mouse.wheel(0, rows * ROW));
    expect(await wheel(10)).toBe(10);
    expect(await wheel(-7)).toBe(-7);
    expect(await wheel(-3)).toBe(-3);
    await newest().waitFor();
    await page.keyboard.press('End');
    await oldest().waitFor();
    expect(await wheel(-20)).toBe(-20);
    expect(await wheel(19)).toBe(19);
    await page.locator('.list').evaluate((element) => {
      const list = element as unknown as { scrollTop: number; scrollHeight: number };
      list.scrollTop = list.scrollHeight / 3;
    });
    await eventually(async () => (await seen()).first < JOBS * 0.7);
    for (const rows of [3, 250, -40]) {
      expect(await wheel(rows)).toBe(rows);
    }
    expect(await rowsBy(() => page.keyboard.press('ArrowDown'))).toBe(1);
    const down = await rowsBy(() => page.keyboard.press('PageDown'));
    expect(down).toBeGreaterThan(10);
    expect(await rowsBy(() => page.keyboard.press('PageUp'))).toBe(-down);
    // Rows by j and k: each the next one, and never behind the head of the table.
    await page.keyboard.press('j');
    const focused = () => page.locator('tr:focus-within .name').textContent();
    const start = Number((await focused())?.split('-').at(-1));
    for (let n = 0; n < 30; n += 1) await page.keyboard.press('j');
    expect(await focused()).toBe(`made-up-${start - 30}`);
    for (let n = 0; n < 60; n += 1) await page.keyboard.press('k');
    expect(await focused()).toBe(`made-up-${start + 30}`);
    expect((await rest()).names).toContain(`made-up-${start + 30}`);
  }, 180_000);
});
