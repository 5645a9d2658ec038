import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { browserMissing, Visitor } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { command, endServer } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { Opened } from '../helpers/transfer.ts';

const REBOUND = 'attacker.example';
const HELLO = JSON.stringify(command('hello', { askAbout: 'timestamp' }));

/** What became of a page's request: what it read, or that its browser did not let it. */
interface Tried {
  readonly status?: number;
  readonly text?: string;
  readonly failed?: true;
}

interface PageRequest {
  readonly method?: string;
  readonly mode?: 'no-cors';
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A form that leaves the page: no script sees the answer, but the request is sent. */
const SUBMIT = `(to, body) => {
  const form = document.createElement('form');
  Object.assign(form, { method: 'POST', action: to, enctype: 'text/plain' });
  const field = document.createElement('input');
  // The browser writes name=value: the JSON has the "=" in a member that nobody knows.
  Object.assign(field, { name: body.slice(0, -1) + ', "x": "', value: '"}' });
  form.append(field);
  document.body.append(form);
  form.submit();
}`;

describeWithEngine('a web page in a real browser', browserMissing, () => {
  let visitor: Visitor;
  let server: TestServer;
  const opened = new Opened();

  beforeAll(async () => {
    visitor = await Visitor.open(REBOUND);
  });
  afterEach(async () => {
    await endServer(server);
    await opened.close();
  });
  afterAll(() => visitor.close());

  const address = (path = '/api/v1/cmd', name = '127.0.0.1') =>
    `http://${name}:${server.port}${path}`;

  /** Has the page that is open ask for something. */
  const ask = (url: string, options: PageRequest): Promise<Tried> =>
    visitor.page.evaluate(
      async ([to, how]) => {
        try {
          const answer = await fetch(to, how);
          return { status: answer.status, text: await answer.text() };
        } catch {
          return { failed: true as const };
        }
      },
      [url, options] as const,
    );

  const touching = (name: string) =>
    JSON.stringify(
      command('run', { cmd: `touch '${join(server.folders.cwd, name)}'`, auid: 'p', jid: name }),
    );
  const jobs = async () => {
    const answer = await server.request('GET', '/api/v1');
    return Object.keys((answer.json() as { GET: object }).GET);
  };

  /** Everything a page can do to have a command run. */
  async function tryEverything(): Promise<readonly Tried[]> {
    const type = (name: string) => ({ 'Content-Type': name });
    const tried = [
      await ask(address(), { method: 'POST', mode: 'no-cors', body: touching('plain') }),
      await ask(address(), { method: 'POST', body: touching('cors') }),
      await ask(address(), {
        method: 'POST',
        headers: type('application/json'),
        body: touching('json'),
      }),
      await ask(address(), {
        method: 'POST',
        headers: type('application/x-www-form-urlencoded'),
        body: touching('form'),
      }),
      await ask(address('/api/v1'), {}),
      await ask(address('/api/v1/hello'), { mode: 'no-cors' }),
    ];
    const sent = (name: string) =>
      `(${JSON.stringify(address())}, ${JSON.stringify(touching(name))})`;
    await visitor.page.evaluate(`navigator.sendBeacon${sent('beacon')}`);
    await visitor.page.evaluate(`(${SUBMIT})${sent('navigation')}`);
    await visitor.page.waitForURL(`${address()}**`);
    return tried;
  }

  it.each([
    ['another port', '127.0.0.1', []],
    ['another site', 'localhost', []],
    ['another port, with --http', '127.0.0.1', ['--http']],
    ['another site, with --http', 'localhost', ['--http']],
  ])('on %s can neither run a command nor read an answer', async (_what, name, flags) => {
    server = await startServer({ flags });
    await visitor.visit(name);
    for (const { text = '' } of await tryEverything()) expect(text).toBe('');
    expect(await visitor.page.content()).toContain('forbidden');
    expect(await jobs()).toEqual([]);
  });

  it('may do both from an origin that is listed', async () => {
    server = await startServer({ flags: ['--allowOrigin', `http://localhost:${visitor.port}`] });
    await visitor.visit('localhost');
    const headers = { 'Content-Type': 'application/json' };
    const answer = await ask(address(), { method: 'POST', headers, body: touching('listed') });
    expect([answer.status, JSON.parse(answer.text ?? '')]).toMatchObject([200, { status: true }]);
    expect(existsSync(join(server.folders.cwd, 'listed'))).toBe(true);
    await visitor.visit('127.0.0.1');
    expect(await ask(address(), { method: 'POST', body: touching('other') })).toEqual({
      failed: true,
    });
    expect(await jobs()).toHaveLength(1);
  });

  it('reads nothing by a name that has been pointed at this host', async () => {
    server = await startServer();
    const answer = await visitor.page.goto(address('/api/v1', REBOUND));
    expect([answer?.status(), await answer?.text()]).toEqual([
      403,
      expect.not.stringContaining(REBOUND),
    ]);
    const posted = await ask(address('/api/v1/cmd', REBOUND), {
      method: 'POST',
      body: touching('rebound'),
    });
    expect(posted.status).toBe(403);
    expect(await jobs()).toEqual([]);
  });

  it('may use a name with a dot that is listed', async () => {
    server = await startServer({ flags: ['--allowHost', REBOUND] });
    const answer = await visitor.page.goto(address('/api/v1', REBOUND));
    expect(answer?.status()).toBe(200);
    const said = await ask(address('/', REBOUND), { method: 'POST', body: HELLO });
    expect(said.status).toBe(200);
  });

  it('is served when its address is typed, and may ask the server it came from', async () => {
    server = await startServer();
    for (const name of ['127.0.0.1', 'localhost']) {
      const answer = await visitor.page.goto(address('/api/v1', name));
      expect([answer?.status(), answer?.headers()['x-content-type-options']]).toEqual([
        200,
        'nosniff',
      ]);
      const said = await ask(address('/', name), { method: 'POST', body: HELLO });
      expect(said.status).toBe(200);
    }
  });

  it('may ask from anywhere with --http and a token, and with the token only', async () => {
    const folders = makeFolders();
    const tokens = join(folders.home, 'tokens');
    writeFileSync(tokens, 'tok-1234567890\n');
    const flags = ['--http', '--enableTokenAuth', '--tokenPath', tokens];
    server = await startServer({ folders, flags });
    await visitor.visit('localhost');
    const headers = { Authorization: 'Bearer tok-1234567890', 'Content-Type': 'application/json' };
    const letIn = await ask(address(), { method: 'POST', headers, body: HELLO });
    expect([letIn.status, JSON.parse(letIn.text ?? '')]).toMatchObject([200, { status: true }]);
    expect((await ask(address(), { method: 'POST', body: HELLO })).status).toBe(401);
  });

  it('cannot have pfioh remove a tree, nor read its files', async () => {
    server = await startServer();
    const store = opened.folder();
    mkdirSync(join(store, 'key-v'));
    writeFileSync(join(store, 'key-v/f'), 'secret');
    const pfioh = await opened.pfioh(['--forever', '--storeBase', store]);
    await visitor.visit('localhost');
    const url = `http://${pfioh.address}/`;
    const body = JSON.stringify({ action: 'rmtree', meta: { key: 'v' } });
    const pulled = `${url}?${new URLSearchParams({ meta: '{"remote": {"key": "v"}}' })}`;
    expect(await ask(url, { method: 'POST', mode: 'no-cors', body })).toMatchObject({ text: '' });
    expect(await ask(url, { method: 'POST', body })).toEqual({ failed: true });
    expect(await ask(pulled, {})).toEqual({ failed: true });
    expect(existsSync(join(store, 'key-v/f'))).toBe(true);
    const byProgram = await fetch(url, { method: 'POST', body });
    expect([byProgram.status, existsSync(join(store, 'key-v'))]).toEqual([200, false]);
  });
});
