import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { endServer } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

/** What is posted to send a job. */
const POSTED = /\/api\/v2\/jobs(\/.*\/rerun)?$/;

describeWithEngine('what is typed and sent in a form', browserMissing, () => {
  const visitor = visitedBy();
  let server: TestServer;
  let api: ApiClient;
  let page: Page;

  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
  });
  beforeEach(async () => {
    page = await visitor().window();
  });
  afterAll(() => endServer(server));

  const open = (path: string) => openLive(page, server, path);
  const command = () => page.getByLabel('Command', { exact: true });
  const count = async () => (await api.page('?limit=1000')).jobs.length;
  const field = (name: string) => page.locator(`#field-${name}`);
  const send = () => page.locator('form.job button[type=submit]').click();
  const openNew = async (line: string) => {
    await open('/ui/new');
    await field('memory').waitFor();
    await command().fill(line);
  };
  const openRerun = async () => {
    await page.locator('.deeds').getByRole('button', { name: 'Rerun' }).click();
    await page.getByRole('dialog').getByText('host runs it.').waitFor();
  };
  /** Holds up what is posted, until it is let go. */
  const holdPosts = async () => {
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await page.route(POSTED, async (route) => {
      if (route.request().method() === 'POST') await gate;
      await route.continue();
    });
    return letGo;
  };
  /** Carries out what is posted, and loses the answer. */
  const loseAnswers = () =>
    page.route(POSTED, async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      await route.fetch().catch(() => undefined);
      await route.abort('connectionreset');
    });

  it('sends a job once, however often Ctrl+Enter is pressed', async () => {
    await openNew('true # once');
    const before = await count();
    const letGo = await holdPosts();
    for (let i = 0; i < 3; i += 1) await command().press('Control+Enter');
    letGo();
    await page.locator('.panelHead').waitFor();
    expect((await count()) - before).toBe(1);
  });

  it('makes no second job when the answer to the first try was lost', async () => {
    await openNew('echo lost');
    const before = await count();
    await loseAnswers();
    await send();
    await page.getByText('no second job is made').waitFor({ timeout: 40_000 });
    expect((await count()) - before).toBe(1);
    await page.unroute(POSTED);
    await send();
    await page.locator('.panelHead').waitFor();
    expect((await count()) - before).toBe(1);
    visitor().complaints = [];
  });

  it('makes no second job when the answer to a rerun from the list was lost', async () => {
    const { id } = await api.submit({ command: 'true', jid: 'of-the-list' });
    await open('/ui?name=of-the-list');
    await page.locator(`tr[data-id="${id}"] input`).check();
    await loseAnswers();
    const again = async () => {
      await page.keyboard.press('R');
      await page.getByRole('dialog').getByRole('button', { name: 'Rerun 1' }).click();
    };
    await again();
    await page.locator('.notice.failed').waitFor({ timeout: 40_000 });
    await page.unroute(POSTED);
    // It is still selected.
    await again();
    await page.locator('.panelHead').waitFor();
    expect((await api.page('?jid=of-the-list')).jobs.length).toBe(2);
    visitor().complaints = [];
  });

  it('tells somebody who has left meanwhile what came of it, and lets him be', async () => {
    await openNew('true # left');
    const letGo = await holdPosts();
    await send();
    await page.getByRole('heading', { level: 1 }).getByRole('link').click();
    await page.locator('.list').waitFor();
    letGo();
    await page.getByText('is accepted.').waitFor();
    expect(new URL(page.url()).pathname).toBe('/ui');
    await page.unroute(POSTED);
    await page.getByRole('link', { name: 'New job' }).click();
    expect(await command().inputValue()).toBe('');
    await field('memory').fill('lots');
    await command().fill('true');
    const goOn = await holdPosts();
    await send();
    await page.getByRole('heading', { level: 1 }).getByRole('link').click();
    await page.locator('.list').waitFor();
    goOn();
    await page.locator('.notice.failed').getByText('512Mi').waitFor();
    // What was refused is there to be mended.
    await page.getByRole('link', { name: 'New job' }).click();
    expect(await field('memory').inputValue()).toBe('lots');
    visitor().complaints = [];
  });

  it('has what was typed again after Escape, and after Back and Forward', async () => {
    const { id } = await api.submit({ command: 'true', jid: 'typed' });
    await open(`/ui/jobs/${id}`);
    await openRerun();
    await field('jid').fill('precious');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await openRerun();
    expect(await field('jid').inputValue()).toBe('precious');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await openRerun();
    expect(await field('jid').inputValue()).toBe('typed');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'New job' }).click();
    await command().fill('echo precious');
    await page.goBack();
    await page.locator('.list').waitFor();
    await page.goForward();
    expect(await command().inputValue()).toBe('echo precious');
  });

  it('is there again after the question for another token, in a form and in a dialog', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens');
    const give = (token: string) => writeFileSync(tokenPath, `${token}\n`, { mode: 0o600 });
    give('a-token-of-some-length');
    const flags = ['--ip', '127.0.0.1', '--enableTokenAuth', '--tokenPath', tokenPath];
    const guarded = await startServer({ folders, flags });
    const enter = async (token: string) => {
      await page.getByLabel('Token').fill(token);
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.locator('.contact.live').waitFor();
    };
    await page.goto(`http://127.0.0.1:${guarded.port}/ui/new`);
    await enter('a-token-of-some-length');
    await field('memory').fill('1Gi');
    await command().fill('echo precious');
    give('another-token-of-some-length');
    await page.getByLabel('Token').waitFor({ timeout: 60_000 });
    await enter('another-token-of-some-length');
    expect([await command().inputValue(), await field('memory').inputValue()]).toEqual([
      ...['echo precious', '1Gi'],
    ]);
    await send();
    await page.locator('.panelHead').waitFor();
    await openRerun();
    await field('jid').fill('named anew');
    give('one-more-token-of-some-length');
    await page.getByLabel('Token').waitFor({ timeout: 60_000 });
    await enter('one-more-token-of-some-length');
    await page.getByRole('dialog').waitFor();
    expect(await field('jid').inputValue()).toBe('named anew');
    await endServer(guarded);
    visitor().complaints = [];
  });
});
