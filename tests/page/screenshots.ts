import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PmanClient } from '../../lib/client/index.ts';
import { PageVisitor } from '../helpers/pageVisitor.ts';
import { makeFolders, startServer } from '../helpers/startServer.ts';

/**
 * Takes a picture of each view of the page, light and dark, into docs/images, of a pman with a few jobs.
 * Usage: PMAN_TEST_CHROMIUM=… npm run screenshots
 */
const folder = 'docs/images';
const root = mkdtempSync(join(tmpdir(), 'pman-pictures-'));
const server = await startServer({ folders: makeFolders(root), flags: ['--maxJobs', '1'] });
const visitor = await PageVisitor.open();
try {
  mkdirSync(folder, { recursive: true });
  const client = new PmanClient(`http://127.0.0.1:${server.port}`);
  const training = (rate: string) =>
    `for epoch in 1 2 3; do echo "epoch $epoch/3  loss 0.$((90 - epoch * 7))  lr ${rate}"; done`;
  const first = [
    { command: 'echo 41 images converted', jid: 'thumbs', auid: 'mail' },
    { command: training('0.1'), jid: 'train-lr0.1', auid: 'ana', shell: true },
    {
      ...{
        jid: 'nightly',
        auid: 'ana',
        labels: { project: 'site', step: 'report' },
        timeout: 3600,
      },
      command:
        'echo "check: 214 of 214"; echo "report: cannot open out/summary.csv: No such file or directory" >&2; exit 2',
    },
    { command: training('0.01'), jid: 'train-lr0.01', auid: 'ana', shell: true },
  ];
  for (const job of first) await client.wait(await client.run(job));
  const ended = await client.run({ command: 'sleep 1000', jid: 'sweep-old', auid: 'ben' });
  await client.kill(ended);
  await client.wait(ended);
  const failed = (await client.jobPage({ jid: 'nightly' })).jobs[0]?.id ?? '';
  await client.run({
    command: 'python3 -m http.server --bind 127.0.0.1 0',
    jid: 'train-lr0.001',
    auid: 'ana',
  });
  await client.run({ command: 'make -j8 check', jid: 'check', auid: 'ben' });

  const job = `/ui/jobs/${failed.slice(failed.indexOf('_') + 1).slice(0, 8)}`;
  const views: readonly (readonly [string, string, (page: Page) => Promise<unknown>])[] = [
    ['list', '/ui', (page) => page.locator('.filter.running').getByText('1 running').waitFor()],
    ['log', job, (page) => page.getByRole('log').getByText('cannot open').waitFor()],
    ['parts', `${job}?tab=parts`, (page) => page.locator('.parts').waitFor()],
    ['record', `${job}?tab=record`, (page) => page.locator('dl.record').waitFor()],
    ['form', '/ui/new', (page) => page.getByText('host runs it.').waitFor()],
    ['server', '/ui/server', (page) => page.getByText('✓ well').waitFor()],
  ];
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, path, come] of views) {
      const page = await visitor.window({ colorScheme, width: 1000, height: 560 });
      await page.goto(`http://127.0.0.1:${server.port}${path}`);
      await page.locator('.contact.live').waitFor();
      await come(page);
      await page.screenshot({ path: join(folder, `page-${name}-${colorScheme}.png`) });
      await visitor.leave();
    }
  }
  if (visitor.complaints.length > 0) throw new Error(visitor.complaints.join('\n'));
} finally {
  await visitor.close();
  await server.stop();
  server.endJobs();
  rmSync(root, { recursive: true, force: true });
}
