import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { LogPage } from '../helpers/logPage.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

describeWithEngine('the log of a job in a real browser', browserMissing, () => {
  let server: TestServer;
  let api: ApiClient;
  let log: LogPage;

  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
    log = await LogPage.open(server.port);
  });
  afterEach(() => {
    // A violation of the policy and an error of a script are told there.
    expect(log.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await log.close();
    await endServer(server);
  });

  const submit = (command: string) => api.submit({ command, shell: true });
  const ended = async (command: string) => {
    const { id } = await submit(command);
    await api.job(id, '?wait=60s');
    return id;
  };
  const lastInView = async () => (await log.inView()).at(-1);
  const scroller = () => log.page.locator('.log-scroller');

  it('opens at the end, by one request', async () => {
    const id = await ended('seq 1 100000');
    log.asked.length = 0;
    await log.show(id);
    expect(await lastInView()).toBe('100000 100000');
    expect(log.asked.filter((url) => url.includes('/output/'))).toEqual([
      expect.stringMatching(/lines\?from=-200&count=200$/),
    ]);
    expect(await log.page.locator('.log-row').count()).toBeLessThan(200);
  });
});
