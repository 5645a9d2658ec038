import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { Job } from '../../lib/client/index.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { axeFindings, type VisitOptions } from '../helpers/pageVisitor.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

/** What is hard to hit: with its label below 24 pixels (WCAG 2.5.8), but for links that stand in text. */
function smallTargets(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    type Box = { readonly width: number; readonly height: number };
    type Node = {
      readonly className: string;
      readonly outerHTML: string;
      closest(selector: string): Node | null;
      getBoundingClientRect(): Box;
    };
    type Dom = { document: { querySelectorAll(selector: string): Iterable<Node> } };
    const { document } = globalThis as unknown as Dom;
    const all = [...document.querySelectorAll('a:not(.log-row a), button, input, select, summary')];
    const isSmall = (node: Node) => {
      const boxes = [node, node.closest('label') ?? node.closest('.field') ?? node];
      const [own, around] = boxes.map((one) => one.getBoundingClientRect());
      if (own === undefined || around === undefined || own.width === 0) return false;
      return Math.max(own.height, around.height) < 24 || Math.max(own.width, around.width) < 24;
    };
    return all.filter(isSmall).map(({ outerHTML }) => outerHTML.slice(0, 200));
  });
}

const GROUND = 'getComputedStyle(document.body).backgroundColor';
const [LIGHT, DARK] = ['rgb(255, 255, 255)', 'rgb(15, 19, 24)'];

describeWithEngine('the page for everybody', browserMissing, () => {
  const visitor = visitedBy();
  let server: TestServer;
  let api: ApiClient;
  let failed: Job;
  let running: Job;

  beforeAll(async () => {
    server = await startServer({ flags: ['--maxJobs', '1'] });
    api = new ApiClient(server);
    const long = 'a-name-that-is-much-longer-than-any-column-of-the-list-could-be';
    const jobs = [
      { command: 'true', jid: 'fine' },
      { command: 'echo out; echo err >&2; exit 2', jid: long, labels: { step: '1' } },
    ];
    for (const job of jobs) failed = await api.job((await api.submit(job)).id, '?wait=20s');
    running = await api.submit({ command: 'sleep 1000', jid: 'goes-on' });
    await api.submit({ command: 'true', jid: 'waits' });
  });
  afterAll(async () => {
    await api.send('POST', `/api/v2/jobs/${running.id}/kill`, {});
    await endServer(server);
  });

  const open = async (path: string, options: VisitOptions = {}): Promise<Page> => {
    const page = await visitor().window(options);
    await openLive(page, server, path);
    return page;
  };

  const views: readonly (readonly [string, () => string, (page: Page) => Promise<unknown>])[] = [
    ['the list', () => '/ui', (page) => page.locator('tr[data-id]').first().waitFor()],
    ['an empty list', () => '/ui?state=lost', (page) => page.getByText('No lost jobs').waitFor()],
    [
      'a selection',
      () => '/ui',
      async (page) => {
        await page.getByRole('checkbox').first().check();
        await page.getByText(/^selected 1/).waitFor();
      },
    ],
    [
      'a log',
      () => `/ui/jobs/${failed.id}`,
      (page) => page.getByRole('log').getByText('out').waitFor(),
    ],
    [
      'parts',
      () => `/ui/jobs/${failed.id}?tab=parts`,
      (page) => page.locator('.parts tbody tr').first().waitFor(),
    ],
    [
      'a record',
      () => `/ui/jobs/${failed.id}?tab=record`,
      (page) => page.locator('dl.record').waitFor(),
    ],
    ['no such job', () => '/ui/jobs/0000dead', (page) => page.getByRole('alert').waitFor()],
    ['the form', () => '/ui/new', (page) => page.getByText('host runs it.').waitFor()],
    [
      'a rerun',
      () => `/ui/jobs/${failed.id}`,
      async (page) => {
        await page.getByRole('button', { name: 'Rerun' }).click();
        await page.getByRole('dialog').getByText('host runs it.').waitFor();
      },
    ],
    [
      'a question',
      () => `/ui/jobs/${running.id}`,
      async (page) => {
        await page.getByRole('button', { name: 'Kill' }).click();
        await page.getByRole('dialog').waitFor();
      },
    ],
    [
      'the keys',
      () => '/ui',
      async (page) => {
        await page.keyboard.press('?');
        await page.getByRole('dialog').waitFor();
      },
    ],
    ['the server', () => '/ui/server', (page) => page.getByText('✓ well').waitFor()],
  ];

  it.each(views)(
    '%s has nothing that axe knows to be wrong, light and dark',
    async (_name, path, come) => {
      const page = await open(path());
      await come(page);
      const found: Record<string, readonly string[]> = {};
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        const ground = await page.evaluate<string>(GROUND);
        found[ground] = await axeFindings(page);
      }
      expect(found).toEqual({ [LIGHT]: [], [DARK]: [] });
    },
  );

  it.each(views)(
    '%s fits 320 pixels, nothing has to be scrolled sideways, and axe knows nothing to be wrong',
    async (_name, path, come) => {
      const page = await open(path(), { width: 320, height: 640 });
      await come(page);
      const wide = await page.evaluate(() => {
        type Box = { scrollWidth: number; clientWidth: number };
        type Dom = {
          document: {
            documentElement: Box;
            querySelectorAll(s: string): Iterable<Box & { className: string }>;
          };
        };
        const { document } = globalThis as unknown as Dom;
        const { scrollWidth, clientWidth } = document.documentElement;
        const boxes = [...document.querySelectorAll('.list, .panel, dialog, .top')];
        const inner = boxes.filter((box) => box.scrollWidth > box.clientWidth + 1);
        return [scrollWidth - clientWidth, ...inner.map((box) => box.className)];
      });
      expect(wide).toEqual([0]);
      expect(await axeFindings(page)).toEqual([]);
      expect(await smallTargets(page)).toEqual([]);
    },
  );

  it('shows state and id at 320 pixels, and all columns at 1200', async () => {
    const columns = async (width: number) => {
      const page = await open('/ui', { width });
      await page.locator('tr[data-id]').first().waitFor();
      const heads = page.locator('th:visible');
      return (await heads.allTextContents()).map((text) => text.replace(/[↓\s]/g, ''));
    };
    expect(await columns(320)).toEqual(['Selected', 'ID', 'Name', 'State', 'Time']);
    expect(await columns(800)).toEqual(['Selected', 'ID', 'Name', 'State', 'Started', 'Time']);
    expect(await columns(1200)).toHaveLength(7);
  });

  it('has the sign of a state before the id, at any width, and says the word once to who does not see it', async () => {
    for (const width of [320, 800, 1200]) {
      const page = await open('/ui', { width });
      const row = page.locator(`tr[data-id="${failed.id}"]`);
      await row.waitFor();
      const left = async (selector: string) => (await row.locator(selector).boundingBox())?.x;
      const places = await Promise.all(['input', '.glyph', 'a.job', '.is .state'].map(left));
      expect(places).toEqual(places.toSorted((a = 0, b = 0) => a - b));
      expect(await row.locator('.glyph').textContent()).toBe('✗');
      expect(await row.ariaSnapshot()).toMatch(/^[^✗]*cell "failed 2"[^✗]*$/);
      expect((await row.ariaSnapshot()).match(/cell "failed/g)).toHaveLength(1);
    }
  });

  it('can be used at 400 %: what is in the window can be scrolled to', async () => {
    // A window of 1280 x 720 has 320 x 180 pixels then.
    const page = await open(`/ui/jobs/${failed.id}?tab=record`, { width: 320, height: 180 });
    const fact = page.getByText('Exit code', { exact: true });
    await fact.scrollIntoViewIfNeeded();
    const box = await fact.boundingBox();
    expect(box?.y).toBeGreaterThanOrEqual(0);
    expect(box?.y).toBeLessThan(180);
  });

  it('does all by keys alone: finds a job, opens it, reads why, kills one, sends one again', async () => {
    const page = await open('/ui');
    const job = await api.submit({ command: 'sleep 1000', jid: 'by-keys' });
    const keys = page.keyboard;
    await page.locator(`tr[data-id="${job.id}"]`).waitFor();
    await keys.press('/');
    await keys.type('name:by-keys');
    await keys.press('Enter');
    await eventually(async () => (await page.locator('tr[data-id]').count()) === 1);
    await keys.press('Escape');
    await keys.press('Escape');
    await page.locator(`tr[data-id="${failed.id}"]`).waitFor();
    await keys.press('j');
    const focused = () =>
      page.evaluate<string | null>('document.activeElement?.closest("tr")?.dataset.id');
    expect(await focused()).toBe(job.id);
    // Kill asks, and the answer that changes nothing has the focus.
    await keys.press('K');
    await page.getByRole('dialog').getByText('by-keys').waitFor();
    await keys.press('Enter');
    expect((await api.job(job.id)).state).toBe('waiting');
    await keys.press('K');
    await keys.press('Tab');
    await keys.press('Enter');
    await page.locator(`tr[data-id="${job.id}"]`).getByText('killed').waitFor();
    // The one that failed, by its filter.
    await keys.press('3');
    await eventually(async () => (await page.locator('tr[data-id]').count()) === 1);
    await keys.press('g');
    await keys.press('g');
    expect(await focused()).toBe(failed.id);
    await keys.press('Enter');
    await page.getByText('Part 2 of 3 ended with exit code 2.').waitFor();
    await keys.press('y');
    await page.getByText('The id is copied.').waitFor();
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(failed.id);
    await keys.press('R');
    await page.getByRole('dialog').getByText('host runs it.').waitFor();
    await keys.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await keys.press('Escape');
    await keys.press('x');
    await keys.press('3');
    // Tabs by arrows.
    await page.goto(`http://127.0.0.1:${server.port}/ui/jobs/${failed.id}`);
    await page.getByRole('tab', { name: 'Log' }).focus();
    await keys.press('ArrowRight');
    await page.locator('.parts').waitFor();
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('tab-parts');
  });

  it('leaves letters to people who speak to their computer', async () => {
    const page = await open('/ui');
    await page.locator('tr[data-id]').first().waitFor();
    await page.keyboard.press('?');
    await page.getByLabel('Keys of one letter work').uncheck();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.keyboard.press('3');
    await page.keyboard.press('?');
    expect(page.url()).not.toContain('state=');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('has the colours that were chosen, also the next time', async () => {
    const page = await open('/ui', { colorScheme: 'light' });
    const ground = () => page.evaluate<string>(GROUND);
    expect(await ground()).toBe(LIGHT);
    const choose = page.getByRole('button', { name: /Colours/ });
    await choose.click();
    await choose.click();
    expect(await ground()).toBe(DARK);
    await page.reload();
    await page.locator('.contact.live').waitFor();
    expect(await ground()).toBe(DARK);
  });

  it('moves nothing for those who want no motion, and marks with lines where colours are forced', async () => {
    const page = await open('/ui?state=failed');
    await page.emulateMedia({ reducedMotion: 'reduce', forcedColors: 'active' });
    const style = (selector: string, name: string) =>
      page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).${name}`);
    await page.evaluate(`document.querySelector('.loading').dataset.on = 'true'`);
    expect(await style('.loading', 'animationName')).toBe('none');
    expect(await style('.filter[data-on=true]', 'outlineStyle')).toBe('solid');
  });

  it('points to the JSON where scripts are off', async () => {
    const answer = await server.request('GET', '/ui');
    expect(answer.text).toMatch(/<noscript>.*href="\/api\/v1"/);
  });
});
