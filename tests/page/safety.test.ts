import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { visitedBy } from '../helpers/visitedBy.ts';

/** Texts that become a script where somebody takes a text for markup, for an attribute, or for an address. */
const ATTACKS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "' onmouseover=alert(1) x='",
  'javascript:alert(1)',
  '</textarea></title></pre><iframe srcdoc="<script>alert(1)</script>">',
  '{{constructor.constructor("alert(1)")()}}',
  '\u202e\u0007\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007',
];
const ALL = ATTACKS.join(' ');

describeWithEngine('the page and those who mean it harm', browserMissing, () => {
  const visitor = visitedBy({ mayComplain: true });
  let server: TestServer;
  let page: Page;

  beforeEach(async () => {
    page = await visitor().window();
  });
  afterEach(() => endServer(server));

  const open = (path: string) => page.goto(`http://127.0.0.1:${server.port}${path}`);
  const isLive = () => page.locator('.contact.live').waitFor();
  const text = async (selector: string) =>
    (await page.locator(selector).allTextContents()).join(' ');
  /** Elements that only an attack can have made. */
  const planted = () =>
    page
      .locator('#page :is(script, iframe, img, object, [onerror], [onload], [onmouseover])')
      .count();

  it('shows what jobs are called and what they write as text, wherever it stands', async () => {
    server = await startServer();
    const api = new ApiClient(server);
    const { id } = await api.submit({
      ...{ command: 'cat; cat >&2; exit 1', stdin: ALL, jid: ALL, auid: ALL },
      labels: { attack: ALL.slice(0, 200) },
    });
    await api.job(id, '?wait=20s');
    const odd = await api.submit({ command: `echo ${ALL.replaceAll("'", '')} $((`, jid: 'odd' });
    await api.job(odd.id, '?wait=20s');
    await open('/ui');
    await isLive();
    await page.locator(`tr[data-id="${id}"]`).hover();
    expect(await text('td.name')).toContain('<scrip');
    await open(`/ui/jobs/${id}`);
    await page.getByRole('log').getByText('onerror=alert(1)').first().waitFor();
    expect(await text('.panel h2')).toContain(ATTACKS[0]);
    for (const tab of ['Parts', 'Record']) {
      await page.getByRole('tab', { name: tab }).click();
      expect(await planted()).toBe(0);
    }
    await page.getByText('As JSON').click();
    expect(await text('dl.record')).toContain(ATTACKS[2]);
    await page.getByRole('button', { name: 'Rerun' }).click();
    expect(await page.getByLabel('User', { exact: true }).inputValue()).toContain(ATTACKS[3]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Delete' }).click();
    expect(await text('dialog')).toContain(ATTACKS[0]);
    await page.keyboard.press('Escape');
    await open(`/ui/jobs/${odd.id}?tab=record`);
    await page.locator('.why').waitFor();
    await open('/ui/server');
    await isLive();
    await api.submit({ command: 'true', jid: ALL });
    await eventually(async () => (await text('.events')).includes(ATTACKS[0] ?? ''));
    expect(await planted()).toBe(0);
    // No dialog, no error, and nothing that the policy had to stop.
    expect(visitor().complaints).toEqual([]);
  });

  it('shows what stands in an address as text', async () => {
    server = await startServer();
    for (const attack of ATTACKS) {
      await open(`/ui?q=${encodeURIComponent(attack)}&state=${encodeURIComponent(attack)}`);
      await isLive();
      await open(`/ui/jobs/${encodeURIComponent(attack)}#${encodeURIComponent(attack)}`);
      await page.getByRole('alert').waitFor();
      expect(await planted()).toBe(0);
    }
    expect(visitor().complaints).toEqual([]);
  });

  it('lets no script run that stands in the document, were there one', async () => {
    server = await startServer();
    await open('/ui');
    await isLive();
    const refused = await page.evaluate(async () => {
      type Dom = {
        document: {
          createElement(name: string): Record<string, unknown>;
          body: { append(e: unknown): void };
        };
      };
      const { document } = globalThis as unknown as Dom;
      const tried: string[] = [];
      try {
        document.createElement('div').innerHTML = '<b>x</b>';
      } catch {
        tried.push('innerHTML');
      }
      try {
        const script = document.createElement('script');
        script.text = 'globalThis.wasRun = true';
        document.body.append(script);
      } catch {
        tried.push('script');
      }
      const { wasRun } = globalThis as unknown as { wasRun?: boolean };
      return [...tried, wasRun];
    });
    expect(refused).toEqual(['innerHTML', 'script', undefined]);
    // That is how this test sees what the page itself must never do.
    expect(visitor().complaints.join()).toContain('TrustedHTML');
  });

  it('is not shown in a frame of another page', async () => {
    server = await startServer();
    const address = `http://127.0.0.1:${server.port}/ui`;
    await page.setContent(`<iframe src="${address}"></iframe>`);
    await eventually(() => visitor().complaints.length > 0 || page.frames().length > 1);
    const inner = page.frames().at(1);
    expect(
      await inner
        ?.locator('#page')
        .count()
        .catch(() => 0),
    ).toBe(0);
  });

  it('opens from a link on another site, and asks as itself', async () => {
    server = await startServer();
    await page.setContent(`<a href="http://127.0.0.1:${server.port}/ui">jobs</a>`);
    await page.getByText('jobs').click();
    await isLive();
    expect(visitor().complaints).toEqual([]);
  });

  it('asks for a token where one is wanted, and keeps it in its tab alone', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens');
    writeFileSync(tokenPath, 'a-token-of-some-length\n', { mode: 0o600 });
    const flags = ['--ip', '127.0.0.1', '--enableTokenAuth', '--tokenPath', tokenPath];
    server = await startServer({ folders, flags });
    const answer = await open('/');
    expect(answer?.status()).toBe(200);
    const field = page.getByLabel('Token');
    await field.fill('another one');
    await page.keyboard.press('Enter');
    await page.getByText('It does not know that one.').waitFor();
    await field.fill('a-token-of-some-length');
    await page.keyboard.press('Enter');
    await isLive();
    await page.getByRole('link', { name: 'New job' }).click();
    await page.getByLabel('Command').fill('echo with a token');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('log').getByText('with a token').waitFor();
    await page.reload();
    await isLive();
    const kept = await page.evaluate(() => {
      type Kept = Record<'localStorage' | 'sessionStorage', Record<string, string>>;
      const { localStorage, sessionStorage } = globalThis as unknown as Kept;
      return [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
    });
    expect(kept[0]).not.toContain('a-token');
    expect(kept[1]).toContain('a-token');
    // Another tab knows nothing of it.
    const other = await visitor().window();
    await other.goto(`http://127.0.0.1:${server.port}/ui`);
    await other.getByLabel('Token').waitFor();
    // The token is revoked: the page asks anew.
    writeFileSync(tokenPath, 'a-token-of-another-length\n', { mode: 0o600 });
    await page.getByText('It does not know that one.').waitFor();
    await page.keyboard.press('?');
    expect(visitor().complaints).toEqual([]);
  });

  it('shows what a token does not allow in the words of the server', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens.cfg');
    const entry = '[TOKEN reader]\nvalue = a-token-of-some-length-that-reads\nscopes = read\n';
    writeFileSync(tokenPath, entry, { mode: 0o600 });
    const flags = ['--ip', '127.0.0.1', '--enableTokenAuth', '--tokenPath', tokenPath];
    server = await startServer({ folders, flags });
    await open('/ui/new');
    await page.getByLabel('Token').fill('a-token-of-some-length-that-reads');
    await page.keyboard.press('Enter');
    await isLive();
    await page.getByLabel('Command').fill('true');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('alert').getByText('forbidden').waitFor();
    expect(visitor().complaints).toEqual([]);
  });
});
