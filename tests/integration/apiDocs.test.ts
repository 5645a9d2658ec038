import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { splitIntoWords } from '../../lib/jobs/container/words.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { Child } from '../helpers/child.ts';
import { DOC_SHELL, DocPage } from '../helpers/docPage.ts';
import { endServer } from '../helpers/pman.ts';
import {
  type Folders,
  makeFolders,
  type StartOptions,
  startServer,
  type TestServer,
} from '../helpers/startServer.ts';

jest.setTimeout(120_000);

const [rest, webhooks, metrics] = [
  new DocPage('docs/rest-api.md'),
  new DocPage('docs/webhooks.md'),
  new DocPage('docs/metrics.md'),
];

let server: TestServer | undefined;
async function start(options: StartOptions = {}): Promise<TestServer> {
  server = await startServer(options);
  return server;
}
async function end(): Promise<void> {
  if (server !== undefined) await endServer(server);
  server = undefined;
}

/** Runs commands of a page against this server, and gives what they print; all have to end well. */
async function printed(commands: string, { port, folders: { cwd } }: TestServer): Promise<string> {
  const script = DOC_SHELL + commands.replaceAll('127.0.0.1:5010', `127.0.0.1:${port}`);
  const child = new Child(['/bin/sh', '-c', script], { cwd, env: process.env });
  const { code } = await child.exited;
  const { stdout, stderr } = child.output;
  expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: expect.anything() });
  return stdout;
}

/** What is documented as a line `[NAME=value] pman --flag …`, with /etc/pman in a folder of the test. */
function commandOf(line: string, { root }: Folders): Pick<StartOptions, 'flags' | 'env'> {
  const words = splitIntoWords(line.replaceAll('/etc/pman', join(root, 'etc')));
  const program = words.indexOf('pman');
  const env = Object.fromEntries(words.slice(0, program).map((word) => word.split('=')));
  return { flags: words.slice(program + 1), env };
}

it.each([
  ['rest-api.md', rest],
  ['webhooks.md', webhooks],
  ['metrics.md', metrics],
])('each block of %s says what it is in: those in sh are run here', (_, { blocks }) => {
  const known = ['sh', 'ini', 'yaml', 'text'];
  expect(blocks.filter(({ language }) => !known.includes(language))).toEqual([]);
});

describe('the commands of docs/rest-api.md', () => {
  afterEach(end);

  it('run as they stand, one after the other', async () => {
    const pman = await start();
    writeFileSync(join(pman.folders.cwd, 'scan.nii'), 'x'.repeat(1234));
    // The page goes on behind event 10.
    for (let i = 0; i < 3; i += 1) await new ApiClient(pman).submit({ command: 'true' });
    const out = await printed(rest.program('sh'), pman);
    for (const text of ['"state":"succeeded"', 'done\n', '"command":"wc -c"', '"next":10']) {
      expect(out).toContain(text);
    }
    expect(out).toMatch(/"seq":11,/);
    expect(out).toMatch(/^id: \d+$/m);
    expect(out).toMatch(/^\{"seq":1,/m);
  });

  it('are followed by outputs that look as the page says', async () => {
    const pman = await start();
    const api = new ApiClient(pman);
    const { id } = await api.submit({ command: 'echo hello world' });
    await api.job(id, '?wait=20s');
    const shown = rest.of('text').join('');
    const output = async (type: string) => {
      const headers = { Accept: type };
      const answer = await fetch(api.url(`/api/v2/jobs/${id}/stdout`), { headers });
      return answer.text();
    };
    const sse = await output('text/event-stream');
    const ndjson = await output('application/x-ndjson');
    const lines = `${sse}\n${ndjson}`.split('\n').filter((line) => line !== '');
    // The page shows the end in one of both forms; a comment is no event.
    const said = lines.filter((line) => !/^(:|event: end|data: \{"ended")/.test(line));
    expect(said.length).toBeGreaterThanOrEqual(5);
    for (const line of said) expect(shown).toContain(line);
  });
});

describe('the commands of docs/metrics.md', () => {
  afterEach(end);

  it('run as they stand', async () => {
    const out = await printed(metrics.program('sh'), await start());
    expect(out).toContain('# TYPE pman_jobs gauge\n');
    expect(out).toContain('# EOF\n');
  });

  it('run against a server with tokens, with a token', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens');
    const token = 'read-0f1e2d3c4b5a69788796a5b4c3d2e1f0';
    writeFileSync(tokenPath, `${token}\n`, { mode: 0o600 });
    const pman = await start({ folders, flags: ['--enableTokenAuth', '--tokenPath', tokenPath] });
    const withToken = metrics
      .program('sh')
      .split('\n')
      .filter((line) => line.includes('TOKEN'));
    const out = await printed(withToken.join('\n').replaceAll('TOKEN', token), pman);
    expect(out).toContain('# EOF\n');
  });
});

describe('the commands of docs/webhooks.md', () => {
  afterEach(end);

  const [first = '', withCa = '', ask = ''] = webhooks.of('sh');

  /** The files that the page speaks of. */
  function foldersOfPage(): Folders {
    const folders = makeFolders();
    const file = join(folders.root, 'etc/notify.ini');
    mkdirSync(dirname(file), { mode: 0o700 });
    writeFileSync(file, webhooks.program('ini'), { mode: 0o600 });
    writeFileSync(join(folders.root, 'etc/our-ca.pem'), '');
    return folders;
  }

  it('start pman, and ask for a webhook', async () => {
    const folders = foldersOfPage();
    const pman = await start({ folders, ...commandOf(first, folders) });
    const out = await printed(ask, pman);
    const { id } = JSON.parse(out) as { id: string };
    const { body } = await new ApiClient(pman).send('GET', `/api/v2/jobs/${id}/notifications`);
    expect(JSON.stringify(body)).toContain('https://hooks.example.org/done');
  });

  it('start pman with certificates of an authority of ones own', async () => {
    const folders = foldersOfPage();
    const pman = await start({ folders, ...commandOf(withCa, folders) });
    expect(await printed('curl -s 127.0.0.1:5010/livez', pman)).toContain('');
  });

  it('make a secret that the file may have', async () => {
    const pman = await start();
    const [, command = ''] = /`(echo whsec_[^`]+)`/.exec(webhooks.text) ?? [];
    expect(await printed(command, pman)).toMatch(/^whsec_[A-Za-z0-9+/]{43}=\n$/);
  });
});
