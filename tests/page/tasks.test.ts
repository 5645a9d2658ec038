import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { Job } from '../../lib/client/index.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { openLive, visitedBy } from '../helpers/visitedBy.ts';

describeWithEngine('the page in a real browser', browserMissing, () => {
  const visitor = visitedBy();
  let server: TestServer;
  let api: ApiClient;
  let page: Page;

  beforeAll(async () => {
    server = await startServer({ flags: ['--maxJobs', '2'] });
    api = new ApiClient(server);
  });
  beforeEach(async () => {
    page = await visitor().window();
  });
  afterAll(async () => {
    await endServer(server);
  });

  const open = (path: string) => openLive(page, server, path);
  const row = (job: Pick<Job, 'id'>) => page.locator(`tr[data-id="${job.id}"]`);
  const ended = async (command: string, more: object = {}) => {
    const { id } = await api.submit({ command, ...more });
    return api.job(id, '?wait=20s');
  };
  const button = (name: string) => page.getByRole('button', { name, exact: true });

  it('shows jobs as they come, run and end, without being asked', async () => {
    await open('/');
    expect(page.url()).toMatch(/\/$/);
    const gate = makeGate(server);
    const job = await api.submit({ command: gate.wait, jid: 'comes-and-goes' });
    await row(job).getByText('running').waitFor();
    expect(await row(job).textContent()).toContain('comes-and-goes');
    await page.locator('.filter.running').getByText('1 running').waitFor();
    gate.open();
    await row(job).getByText('ok').waitFor();
    await page.locator('.filter.running').getByText('0 running').waitFor();
  });

  it('keeps rows where they are while one has the focus or a pointer moves over them', async () => {
    const first = await ended('true', { jid: 'pointed-at' });
    await open('/ui');
    await row(first).getByRole('link').focus();
    const before = await row(first).boundingBox();
    const next = await api.submit({ command: 'true', jid: 'comes-later' });
    const news = page.getByRole('button', { name: /new job/ });
    await news.waitFor();
    expect(await row(first).boundingBox()).toEqual(before);
    expect(await row(next).count()).toBe(0);
    await news.click();
    await row(next).waitFor();
    await page.getByRole('searchbox').focus();
    const point = () => page.mouse.move(300 + Math.random() * 50, 300);
    // It points before the job comes, and goes on with that.
    await point();
    const moving = setInterval(() => void point().catch(() => undefined), 200);
    let last: Pick<Job, 'id'>;
    try {
      last = await api.submit({ command: 'true' });
      await news.waitFor();
      expect(await row(last).count()).toBe(0);
    } finally {
      clearInterval(moving);
    }
    // The pointer rests: then it comes in by itself.
    await row(last).waitFor();
  });

  it('filters by state, by name and by what is typed, all of it in the address', async () => {
    const bad = await ended('exit 3', { jid: 'filter-bad' });
    const good = await ended('true', { jid: 'filter-good' });
    await open('/ui');
    await page.locator('.filter.failed').click();
    await eventually(async () => (await row(good).count()) === 0);
    expect(await row(bad).getByText('failed 3').count()).toBe(1);
    expect(page.url()).toContain('state=failed');
    await page.getByRole('searchbox').fill('name:filter-g*');
    await page.getByText('No failed jobs with “name:filter-g*”.').waitFor();
    await page.getByRole('link', { name: 'Clear' }).click();
    await row(good).waitFor();
    await page.getByRole('searchbox').fill('filter-g');
    await eventually(async () => (await row(bad).count()) === 0);
    expect(await row(good).count()).toBe(1);
    // Who gets this address sees the same, and the way back works.
    await page.reload();
    await row(good).waitFor();
    expect(await row(bad).count()).toBe(0);
    expect(await page.getByRole('searchbox').inputValue()).toBe('filter-g');
    await page.goBack();
    await row(bad).waitFor();
  });

  it('turns the order round', async () => {
    await ended('true');
    await ended('true');
    await open('/ui');
    const firstId = () => page.locator('tr[data-id]').first().getAttribute('data-id');
    const newest = await firstId();
    await page.getByRole('button', { name: /Started/ }).click();
    await eventually(async () => (await firstId()) !== newest);
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');
  });

  it('opens a job: why it failed, its output, its parts, its record', async () => {
    const job = await ended('echo one; echo two >&2; exit 3', { jid: 'three-parts', auid: 'ana' });
    await open('/ui');
    await row(job).getByRole('link').click();
    await page.getByText('Part 2 of 3 ended with exit code 3.').waitFor();
    expect(page.url()).toMatch(/\/ui\/jobs\/[0-9a-f]{8}$/);
    await page.getByRole('log').getByText('one').waitFor();
    expect(await page.title()).toBe('✗ three-parts failed 3 · pman');
    await page.getByRole('tab', { name: 'Parts' }).click();
    expect(await page.locator('.parts tbody tr').allTextContents()).toEqual([
      expect.stringMatching(/✓ ok.*echo one/),
      expect.stringMatching(/✓ ok.*echo two/),
      expect.stringMatching(/✗ failed 3.*exit 3/),
    ]);
    await page.getByRole('tab', { name: 'Record' }).click();
    const record = await page.locator('dl.record').textContent();
    for (const text of [job.id, 'ana', 'exit_code', 's user']) {
      expect(record).toContain(text);
    }
    expect(page.url()).toContain('tab=record');
    await page.keyboard.press('Escape');
    expect(await page.locator('.panel').count()).toBe(0);
  });

  it('shows output as it comes', async () => {
    const gate = makeGate(server);
    const job = await api.submit({ command: `echo before; ${gate.wait}; echo after` });
    await open(`/ui/jobs/${job.id}`);
    await page.getByRole('log').getByText('before').waitFor();
    gate.open();
    await page.getByRole('log').getByText('after').waitFor();
    await page.locator('.panelHead').getByText('ok').waitFor();
  });

  it('kills a job, after it has asked', async () => {
    const job = await api.submit({ command: 'sleep 1000', jid: 'to-be-killed' });
    await open(`/ui/jobs/${job.id}`);
    await button('Kill').click();
    await page.getByRole('dialog').getByText('to-be-killed').waitFor();
    await button('No').click();
    expect((await api.job(job.id)).state).not.toBe('killed');
    await button('Kill').click();
    await button('Kill 1').click();
    await page.locator('.panelHead').getByText('killed').waitFor();
    await page.getByText('It was ended on request').waitFor();
    expect((await api.job(job.id)).state).toBe('killed');
  });

  it('reruns a job with changes, and leaves the rest as it was', async () => {
    const former = await ended('echo "$WORD"', {
      jid: 'again',
      env: { WORD: 'kept' },
      timeout: 60,
    });
    await open(`/ui/jobs/${former.id}`);
    await button('Rerun').click();
    expect(await page.getByLabel('Timeout').inputValue()).toBe('60');
    await page.getByLabel('Timeout').fill('90');
    await page.getByLabel('Name', { exact: true }).fill('again-2');
    await page.getByRole('dialog').getByRole('button', { name: 'Rerun' }).click();
    await page.getByRole('heading', { name: 'again-2' }).waitFor();
    await page.getByRole('log').getByText('kept').waitFor();
    const [again] = (await api.page('?jid=again-2')).jobs;
    expect(again).toMatchObject({ rerunOf: former.id, command: 'echo "$WORD"' });
    expect(again?.asked).toMatchObject({ timeout: 90 });
  });

  it('deletes a job that has ended', async () => {
    const job = await ended('true', { jid: 'to-be-deleted' });
    await open(`/ui/jobs/${job.id}`);
    await button('Delete').click();
    await button('Delete 1').click();
    await page.getByText('It is deleted.').waitFor();
    expect((await api.send('GET', `/api/v2/jobs/${job.id}`)).status).toBe(404);
    await eventually(async () => (await row(job).count()) === 0);
    expect(page.url()).toMatch(/\/ui$/);
  });

  it('sends a job by the form, with the limits that this server takes', async () => {
    await open('/ui/new');
    await page.getByText('host runs it.').waitFor();
    // There is no engine here: nothing offers what only containers have.
    expect(await page.getByLabel('GPUs').count()).toBe(0);
    await page.getByLabel('Command').fill('wc -c; echo "$A"');
    await page.getByLabel('Name', { exact: true }).fill('from-form');
    await page.getByLabel('Labels').fill('step=1\nwho=me');
    await page.getByLabel('Environment').fill('A=b=c');
    await page.getByLabel('Input').fill('four');
    await page.getByLabel('Nice').fill('5');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('log').getByText('b=c').waitFor();
    const [job] = (await api.page('?jid=from-form')).jobs;
    expect(job).toMatchObject({ labels: { step: '1', who: 'me' }, asked: { nice: 5 } });
  });

  it('says in the words of the server why a job is refused, and keeps what was typed', async () => {
    await open('/ui/new');
    await page.getByLabel('Command').fill('true');
    await page.getByLabel('Memory').fill('much');
    await page.getByRole('button', { name: 'Run' }).click();
    await page
      .getByRole('alert')
      .getByText(/"memory": is not like 512Mi/)
      .waitFor();
    expect(await page.getByLabel('Command').inputValue()).toBe('true');
  });

  it('does the same with several jobs, and with no others', async () => {
    const jobs = [await ended('true'), await ended('true'), await ended('true')];
    await open('/ui');
    for (const job of jobs.slice(0, 2)) await row(job).getByRole('checkbox').check();
    await page.getByText(/^selected 2 of/).waitFor();
    await button('Delete 2').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete 2' }).click();
    await page.getByText('2 are deleted.').waitFor();
    const left = await Promise.all(
      jobs.map(async ({ id }) => (await api.send('GET', `/api/v2/jobs/${id}`)).status),
    );
    expect(left).toEqual([404, 404, 200]);
  });

  it('shows the server: health, disk, what runs jobs, and what happens', async () => {
    await open('/ui/server');
    await page.getByText('✓ well').waitFor();
    await page.getByText(/free of/).waitFor();
    await page.getByRole('cell', { name: 'host' }).waitFor();
    const job = await api.submit({ command: 'true' });
    const id = job.id.split('_')[1]?.slice(0, 6) ?? '';
    await page.locator('.events').getByText(id).first().waitFor();
  });

  it('tells the limits of the server, and what happened before it was looked at', async () => {
    const job = await ended('true', { jid: 'before-the-look' });
    await open('/ui/server');
    await page.getByText('2 jobs at once, requests of 16 MiB').waitFor();
    await page.getByText('all, until they are deleted').waitFor();
    await page.locator('.events').getByText('before-the-look').first().waitFor();
    // Each once, also where it came by both ways.
    const next = await ended('true', { jid: 'after-the-look' });
    await page
      .locator('.events li', { hasText: 'after-the-look' })
      .getByText('succeeded')
      .waitFor();
    const numbers = await page.locator('.events li .mono.quiet').allTextContents();
    expect(new Set(numbers).size).toBe(numbers.length);
    expect([job.state, next.state]).toEqual(['succeeded', 'succeeded']);
  });

  it('keeps what is typed while the letters before are looked for', async () => {
    await open('/ui');
    // More is typed at the moment in which the page goes on to what was typed before.
    await page.evaluate(`{
      const go = history.pushState.bind(history);
      globalThis.seen = new Set();
      history.pushState = (...given) => {
        go(...given);
        history.pushState = go;
        const field = document.getElementById('search');
        field.value = 'ab';
        field.dispatchEvent(new InputEvent('input', { bubbles: true }));
        const look = () => {
          seen.add(field.value);
          if (!location.search.includes('q=ab')) requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      };
    }`);
    await page.getByRole('searchbox').pressSequentially('a');
    await page.waitForURL(/q=ab/);
    expect(await page.evaluate('[...seen]')).toEqual(['ab']);
  });

  it('reruns the job whose row has the focus, and not the one that is open', async () => {
    const [other, opened] = [await ended('true', { jid: 'focused' }), await ended('true')];
    await open(`/ui/jobs/${opened.id}`);
    await page.locator('.panelHead').getByText('ok').waitFor();
    await row(other).getByRole('link').focus();
    await page.keyboard.press('R');
    await page.getByRole('dialog').getByText('focused').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Rerun' }).focus();
    await page.keyboard.press('R');
    await page.getByRole('dialog').getByText('host runs it.').waitFor();
  });

  it('tells times since the start of a job that had not begun when it was opened', async () => {
    const gate = makeGate(server);
    for (let n = 0; n < 2; n += 1) await api.submit({ command: gate.wait });
    const job = await api.submit({ command: 'sleep 1.2; echo slow', shell: true });
    await open(`/ui/jobs/${job.id}`);
    await page.locator('.panelHead').getByText('waiting').waitFor();
    await page.locator('.logView').waitFor();
    gate.open();
    await page.getByRole('log').getByText('slow').waitFor();
    await page.locator('.panelHead').getByText('ok').waitFor();
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    const time = () => page.locator('.log-time').first().getAttribute('data-time');
    await eventually(async () => /^\+[1-9]/.test((await time()) ?? ''));
  });

  it('can be used when a log is left in which stderr is being looked for', async () => {
    const job = await ended('echo oh >&2');
    await open(`/ui/jobs/${job.id}`);
    await page.locator('.log-row').first().waitFor();
    let isAsked = false;
    // No answer comes before the log is left.
    await page.route('**/output/find?*', () => {
      isAsked = true;
    });
    await page.getByRole('checkbox', { name: 'stderr' }).click();
    await eventually(() => isAsked);
    await page.getByRole('link', { name: 'Back to the list' }).click();
    await row(job).getByRole('link').click();
    await page.locator('.log-row').first().waitFor();
  });

  it('says what is wrong with an address of a job that is not there', async () => {
    await open('/ui/jobs/0000dead');
    await page.getByRole('alert').getByText('there is no job 0000dead').waitFor();
  });
});
