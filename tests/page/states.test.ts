import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { holdLists } from '../helpers/heldLists.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

describeWithEngine('what the page tells as the server has it', browserMissing, () => {
  const visitor = visitedBy();
  let server: TestServer;
  let api: ApiClient;

  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
  });
  afterAll(() => endServer(server));

  it('has a job in the list of those that failed as soon as it fails', async () => {
    const page = await visitor().window();
    await openLive(page, server, '/ui?state=Failed');
    const gate = makeGate(server);
    const { id } = await api.submit({ command: `${gate.wait}; exit 4`, jid: 'fails-late' });
    await page.locator('.filter.running').getByText('1 running').waitFor();
    expect(await page.locator('tr[data-id]').count()).toBe(0);
    gate.open();
    await page.locator(`tr[data-id="${id}"]`).getByText('failed 4').waitFor();
    await page.locator('.shown').getByText('1 job', { exact: true }).waitFor();
  });

  it('says that the job which is open was removed, and offers nothing more to do with it', async () => {
    const { id } = await api.submit({ command: 'true', jid: 'goes\u202eaway' });
    await api.job(id, '?wait=20s');
    const page = await visitor().window();
    await openLive(page, server, `/ui/jobs/${id}`);
    await page.locator('.panelHead').getByText('goes\\u202eaway').waitFor();
    await api.send('DELETE', `/api/v2/jobs/${id}`);
    await page.getByText('This job was removed').waitFor();
    expect(await page.locator('.deeds button').allTextContents()).toEqual(['Copy command']);
    expect(await page.title()).toContain('removed · pman');
  });

  it('tells what the server refuses in its words', async () => {
    const page = await visitor().window();
    await page.goto(`http://127.0.0.1:${server.port}/ui?q=${'x'.repeat(1200)}`);
    await page.locator('.failure').getByRole('button', { name: 'Try again' }).waitFor();
    expect(await page.locator('.contact').textContent()).toContain('refused');
    expect(await page.getByText('Not connected').count()).toBe(0);
    await page.locator('#search').fill('goes');
    await page.locator('.contact.live').waitFor();
  });

  it('tells times by the clock of the server', async () => {
    const page = await visitor().window();
    await page.clock.install({ time: Date.now() + 7_200_000 });
    await page.clock.resume();
    await openLive(page, server, '/ui?q=since:1h');
    await page.locator('tr[data-id]').first().waitFor();
    expect(await page.locator('.up').textContent()).not.toContain('h');
  });

  it('lets no text turn the direction of what is shown, in a log either', async () => {
    const { id } = await api.submit({ command: "printf 'a\\342\\200\\256gnp\\n'", jid: 'turns' });
    await api.job(id, '?wait=20s');
    const page = await visitor().window();
    await openLive(page, server, `/ui/jobs/${id}`);
    await page.getByRole('log').getByText('a\\u202egnp').waitFor();
    expect(await page.locator('body').textContent()).not.toContain('\u202e');
  });

  it('tells names apart by their ends, however narrow the window', async () => {
    const jids = ['train-with-a-rate-of-0.1-seed1', 'train-with-a-rate-of-0.1-seed2'];
    for (const jid of jids) await api.submit({ command: 'true', jid });
    const page = await visitor().window({ width: 320, height: 640 });
    await openLive(page, server, '/ui?q=name:train*');
    for (const end of ['seed1', 'seed2']) {
      const part = page.getByText(new RegExp(`^[^ ]{0,2}${end}$`));
      const [own, cell] = await Promise.all([
        part.boundingBox(),
        page.locator('td.name', { has: part }).boundingBox(),
      ]);
      if (own === null || cell === null) throw new Error(`${end} is not in view`);
      expect(own.x).toBeGreaterThanOrEqual(cell.x);
      expect(own.x + own.width).toBeLessThanOrEqual(cell.x + cell.width);
    }
  });

  it('counts nothing before the first answer is there', async () => {
    const page = await visitor().window();
    const answer = await holdLists(page);
    await page.goto(`http://127.0.0.1:${server.port}/ui`);
    await page.locator('.filter.running').getByText('– running').waitFor();
    answer();
    await page.locator('.filter.running').getByText('0 running').waitFor();
  });

  it('tells whoever has a token that may not read in the words of the server', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens.cfg');
    const token = 'a-token-that-runs-and-reads-not';
    writeFileSync(tokenPath, `[TOKEN ana]\nvalue = ${token}\nscopes = run\n`, { mode: 0o600 });
    const flags = ['--ip', '127.0.0.1', '--enableTokenAuth', '--tokenPath', tokenPath];
    const guarded = await startServer({ folders, flags });
    const page = await visitor().window();
    await page.goto(`http://127.0.0.1:${guarded.port}/ui`);
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.failure').getByText('"read"').waitFor();
    expect(await page.getByText('Not connected').count()).toBe(0);
    await endServer(guarded);
  });
});
