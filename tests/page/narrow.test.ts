import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

describeWithEngine('a job that is opened by keys', browserMissing, () => {
  const visitor = visitedBy();
  let server: TestServer;
  let id: string;

  beforeAll(async () => {
    server = await startServer();
    const api = new ApiClient(server);
    for (const jid of ['one', 'two', 'three']) {
      ({ id } = await api.submit({ command: 'seq 1 100', jid }));
      await api.job(id, '?wait=20s');
    }
  });
  afterAll(() => endServer(server));

  it('has the focus where there is no room for the list, and gives it back to its row', async () => {
    const page = await visitor().window();
    await page.setViewportSize({ width: 390, height: 700 });
    await openLive(page, server, '/ui');
    await page.locator(`tr[data-id="${id}"]`).waitFor();
    await page.keyboard.press('j');
    const row = page.locator(`tr[data-id="${id}"]`).getByRole('link');
    const hasFocus = (selector: string) =>
      page.evaluate<boolean>(`document.activeElement.matches(${JSON.stringify(selector)})`);
    await eventually(() => row.evaluate((link) => link === link.ownerDocument.activeElement));
    for (let times = 0; times < 2; times += 1) {
      await page.keyboard.press('Enter');
      await eventually(() => hasFocus('.panelHead h2'), { message: 'the heading to have it' });
      await page.keyboard.press('Escape');
      await eventually(() => hasFocus(`tr[data-id="${id}"] a`), { message: 'the row to have it' });
    }
    // The same from the log, and where the job was opened by its address.
    await openLive(page, server, `/ui/jobs/${id}`);
    await page.locator('.log-row').first().waitFor();
    await page.locator('.log-scroller').focus();
    await page.keyboard.press('Escape');
    await eventually(() => hasFocus(`tr[data-id="${id}"] a`), { message: 'the row to have it' });
  });

  it('shows what is marked and found also in forced colours', async () => {
    const page = await visitor().window();
    await page.emulateMedia({ forcedColors: 'active' });
    await openLive(page, server, `/ui/jobs/${id}#L3-L4`);
    await page.locator('.log-marked').first().waitFor();
    await page.getByLabel('Find in the log').fill('7');
    await page.keyboard.press('Enter');
    await page.locator('.log-marks i').first().waitFor();
    const grounds = await page.evaluate<string[]>(`
      ['.log-row:not(.log-marked)', '.log-marked', '.log-row mark', '.log-marks i'].map((one) =>
        getComputedStyle(document.querySelector(one)).backgroundColor)`);
    const [plain, ...marked] = grounds;
    for (const ground of marked) {
      expect(ground).not.toBe('rgba(0, 0, 0, 0)');
      expect([plain, 'rgb(255, 255, 255)', 'rgb(0, 0, 0)']).not.toContain(ground);
    }
  });
});
