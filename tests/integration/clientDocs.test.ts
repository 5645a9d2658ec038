import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Child } from '../helpers/child.ts';
import { DocPage } from '../helpers/docPage.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { Consumer, installedPackage } from '../helpers/installed.ts';
import { endServer } from '../helpers/pman.ts';
import { pythonMissing, pythonProgram } from '../helpers/python.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

const page = new DocPage('docs/client.md');
const TOKEN = 'a-token-of-some-length';

let server: TestServer;
/** Starts a pman that wants the token. */
async function start(): Promise<void> {
  const folders = makeFolders();
  const tokenPath = join(folders.root, 'tokens');
  writeFileSync(tokenPath, `${TOKEN}\n`, { mode: 0o600 });
  const flags = ['--enableTokenAuth', '--tokenPath', tokenPath];
  server = await startServer({ folders, flags });
}

const address = () => `http://127.0.0.1:${server.port}`;

/** Runs a program and gives what it has printed; it has to end well. */
async function printed(argv: readonly string[], env = {}): Promise<string> {
  const child = new Child(argv, { cwd: server.folders.cwd, env: { ...process.env, ...env } });
  const { code } = await child.exited;
  expect({ code, stderr: child.output.stderr }).toEqual({ code: 0, stderr: '' });
  return child.output.stdout;
}

describe('docs/client.md', () => {
  beforeEach(start);
  afterEach(() => endServer(server));

  it('has a section for each method of the client, and each in three languages', () => {
    const sections = page.text.split(/^## /m).slice(1, -1);
    for (const section of sections) {
      expect(section).toMatch(/^```ts\n[\s\S]*^```python\n[\s\S]*^```sh\n/m);
    }
  });

  it('has TypeScript that runs as it stands, from the installed package', () => {
    const given = `const PMAN = '${address()}';\nconst TOKEN = '${TOKEN}';\n`;
    const consumer = new Consumer(installedPackage(), 'client', given + page.program('ts'));
    expect(consumer.problems('node')).toBe('');
    const { status, stdout, stderr } = consumer.run();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [first = '', ...lines] = stdout.trimEnd().split('\n');
    const [id = '', state] = first.split(' ');
    expect(state).toMatch(/^(waiting|starting|running|succeeded)$/);
    // Nobody knows which of two outputs was written first.
    expect(lines.toSorted()).toEqual(
      [
        ...['succeeded 0', '2', `${id} echo one; echo two >&2`, 'one', ' 3', 'one,two 2 2'],
        ...['stdout one', 'stderr two'],
        ...['1 accepted example', '2 started example', '3 part_ended example'],
        ...['4 started example', '5 part_ended example', '6 ended example'],
        ...[
          'true',
          'kept.txt kept',
          'true',
          '0',
          'http true true',
          'string true host ready',
          'killed',
          'not_found 404 GET /api/v2/jobs lists the jobs',
        ],
      ].toSorted(),
    );
  });

  it('has commands for curl that run as they stand', async () => {
    const script = `set -eu\n${page.program('sh')}`;
    const stdout = await printed(['/bin/sh', '-c', script], { PMAN: address(), TOKEN });
    const said = [
      '"state":"succeeded"',
      'one\n',
      'wo\n',
      '"text":"one"',
      '{"lines":[2]',
      '"type":"ended"',
      '"state":"killed"',
      '"rerunOf":',
      '{"notifications":[]}',
      'kept\n',
    ];
    for (const text of [...said, '"code":"not_found"']) expect(stdout).toContain(text);
  });
});

describeWithEngine('docs/client.md, in Python', pythonMissing, () => {
  beforeEach(start);
  afterEach(() => endServer(server));

  it('has programs that run as they stand', async () => {
    const given = `PMAN = '${address()}'\nTOKEN = '${TOKEN}'\n`;
    const file = join(server.folders.root, 'example.py');
    writeFileSync(file, given + page.program('python'));
    const stdout = await printed([pythonProgram('python'), file]);
    const said = [
      'echo one; echo two >&2\n',
      'one\n\n3\none,two 2 2\none\n',
      ' ended example\n',
      'killed\n',
      'True\n',
      'kept.txt kept\n',
    ];
    for (const text of [...said, '404 not_found GET']) expect(stdout).toContain(text);
  });
});
