import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endServer } from '../helpers/pman.ts';
import { pmanVerb, startVerb } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

const page = readFileSync('docs/cli.md', 'utf8');
/** Task, command, and how many keys that takes. */
const typed = [...page.matchAll(/^\| ([a-z][^|]*) \| `(pman [^`]+)` \| (\d+) \|/gm)].map(
  ([, task = '', line = '', keys = '']) => ({ task, line, keys: Number(keys) }),
);

describe('what one types', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  it('is counted right', () => {
    expect(typed).toHaveLength(10);
    for (const { line, keys } of typed) expect([line, line.length + 1]).toEqual([line, keys]);
    expect(typed.reduce((sum, { keys }) => sum + keys, 0)).toBe(152);
  });

  it('works as it stands, one line after the other', async () => {
    const run = (line: string) => {
      // As a shell would take it apart.
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, inner, word = '']) => inner ?? word,
      );
      return pmanVerb(server, words.slice(1));
    };
    const lineOf = (task: string) => typed.find((row) => row.task === task)?.line ?? '';
    const id = (await run(lineOf('submit').replace('sleep 9', 'sleep 1'))).stdout.trim();
    expect(await run(lineOf('follow the newest'))).toMatchObject({ code: 0, stdout: 'hi\n' });
    const followed = lineOf('submit, follow').replace('sleep 9', 'exit 4');
    expect(await run(followed)).toMatchObject({ code: 4, stdout: 'hi\n' });
    expect((await run(lineOf('list'))).stdout).toContain(`${id}\techo\tok`);
    expect((await run(lineOf('those that failed'))).stdout).toMatch(/^\w{6}\techo\tfailed 4\t/);
    expect((await run(lineOf('its result'))).stdout).toContain('state\tfailed 4\n');
    const again = startVerb(server, ['rerun', '--command', 'sleep 60']);
    const running = (await again.ended).stdout.trim();
    const kill = lineOf('kill').replace('7f3a', running.slice(0, 4));
    expect((await run(kill)).code).toBe(0);
    expect((await run(lineOf('rerun'))).stdout).toMatch(/^\w{6}\n$/);
    await run('pman kill -y running');
    expect(await run(lineOf('wait, with its code'))).toMatchObject({ code: 143 });
    expect((await run(lineOf('clean up'))).stdout).toMatch(/^\d+ removed\n$/);
  });
});
