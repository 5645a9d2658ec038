import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { DocPage } from '../helpers/docPage.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

jest.setTimeout(120_000);

/** `…` stands for what differs, in keys, too; so does the beginning of a job root. */
const isOpen = (text: string) => /^(20\d\d)?…$/.test(text);

/** Whether an answer has what is shown of it. */
function shows(answer: unknown, wanted: unknown): boolean {
  if (typeof wanted === 'string' && wanted.includes('…')) {
    if (isOpen(wanted)) return typeof answer === 'string';
    return typeof answer === 'string' && answer.startsWith(wanted.slice(0, wanted.indexOf('…')));
  }
  if (Array.isArray(wanted)) {
    if (!Array.isArray(answer) || answer.length !== wanted.length) return false;
    return wanted.every((one, i) => shows(answer[i], one));
  }
  if (typeof wanted !== 'object' || wanted === null) return answer === wanted;
  if (typeof answer !== 'object' || answer === null) return false;
  const has = new Map(Object.entries(answer));
  return Object.entries(wanted).every(([key, one]) =>
    isOpen(key)
      ? [...has.values()].some((value) => shows(value, one))
      : has.has(key) && shows(has.get(key), one),
  );
}

const page = new DocPage('docs/api.md');
const texts = page.of('text');
/** Requests that the page shows, in order, each with what it shows of the answer. */
const requests = texts
  .filter((text) => text.startsWith('{"payload"') && !text.includes('"ssh"'))
  .map((text) => {
    const [request = '', answer] = text.split('\n→ ');
    return [
      JSON.parse(request) as object,
      answer && (JSON.parse(`{${answer}}`) as object),
    ] as const;
  });
/** Lines such as `GET /api/v1/<job>/stdout    what it gives`. */
const questions = texts
  .filter((text) => text.startsWith('GET '))
  .flatMap((text) => text.trimEnd().split('\n'))
  .map((line) => line.slice('GET '.length).split(/ +/)[0] ?? '');

describe('what docs/api.md shows of requests', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  it('is what they do, one after the other', async () => {
    expect(requests.length).toBeGreaterThanOrEqual(5);
    for (const [body, shown] of requests) {
      const method = JSON.stringify(body).includes('"context"') ? 'PUT' : 'POST';
      const said = (await server.request(method, '/api/v1/cmd', { body })).json();
      expect(said).toMatchObject({ status: true });
      if (shown) expect([said, shows(said, shown)]).toEqual([said, true]);
      else if (method === 'POST') await ended();
    }
  });

  it('is there by GET, too', async () => {
    expect(questions.length).toBeGreaterThanOrEqual(8);
    const meta = { cmd: 'echo a; echo b; echo c', auid: 'ana', jid: 'parts', threaded: true };
    const { d_ret } = await server.post('run', meta);
    const { jobRoot } = d_ret as { readonly jobRoot: string };
    await ended();
    for (const question of questions) {
      const path = question.replace('<job>', jobRoot);
      const { status } = await server.request('GET', path);
      expect([path, status]).toEqual([path, 200]);
    }
  });

  /** Resolves when the newest job has ended. */
  async function ended(): Promise<void> {
    const api = new ApiClient(server);
    const { jobs } = await api.page('?limit=1');
    for (const { id } of jobs) await api.job(id, '?wait=60s');
  }
});
