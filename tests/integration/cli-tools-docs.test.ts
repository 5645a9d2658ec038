import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { splitIntoWords } from '../../lib/jobs/container/words.ts';
import { DocPage } from '../helpers/docPage.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { pmanVerb, startVerb } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** What the page shows of a terminal: each command, and the lines behind it. */
const shown = new DocPage('docs/cli-tools.md')
  .of('text')
  .flatMap((text) => text.split(/^\$ /m).slice(1))
  .map((piece) => {
    const [command = '', ...lines] = piece.trimEnd().split('\n');
    return { words: splitIntoWords(command).slice(1), lines };
  });
const of = (verb: string) => {
  const found = shown.find(({ words }) => words[0] === verb);
  if (found === undefined) throw new Error(`the page does not show pman ${verb}`);
  return found;
};
/** What is left of a line without what differs from time to time: figures, sizes, and how many files. */
const shape = (line: string) =>
  line
    .replace(/\d[\d.]*/g, 'N')
    .replace(/\bN [KMG]?i?B\b/g, 'N B')
    .replace(/\([^)]*\)/, '(…)')
    .trimEnd();

describe('the terminal that docs/cli-tools.md shows', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));
  const UTF8 = { env: { LC_ALL: 'C.UTF-8' } };

  it('a job with files goes as the page shows', async () => {
    const cwd = tempDir();
    mkdirSync(join(cwd, 'data'));
    const program = "import os; os.mkdir('out'); print('epoch 1 loss 0.4')\n";
    const writes = "for n in 'ab': open('out/' + n, 'w').write(n)\n";
    writeFileSync(join(cwd, 'data/fit.py'), program + writes);
    const { words, lines } = of('run');
    const end = await pmanVerb(server, words, { ...UTF8, cwd });
    expect(end.code).toBe(0);
    const printed = (end.stdout + end.stderr).trimEnd().split('\n');
    expect(printed.map(shape)).toEqual(lines.map(shape));
  });

  it('push and pull go as the page shows', async () => {
    const cwd = tempDir();
    mkdirSync(join(cwd, 'results/out'), { recursive: true });
    writeFileSync(join(cwd, 'results/out/x'), 'x');
    const { words, lines } = of('push');
    const pushed = await pmanVerb(server, words, { ...UTF8, cwd });
    // The bar is for a terminal, and nothing was there from before.
    const last = shape(lines.at(-1) ?? '').replace(/, N were there already/, '');
    expect([pushed.code, shape(pushed.stdout).replace(/\bfile\b/, 'files')]).toEqual([0, last]);
    expect((await pmanVerb(server, of('pull').words, { ...UTF8, cwd })).code).toBe(0);
  });

  it('doctor speaks of what the page shows, in that order', async () => {
    const { words, lines } = of('doctor');
    const { stdout } = await pmanVerb(server, words, UTF8);
    const subjects = (list: readonly string[]) => list.map((line) => line.split(/\s+/)[1]);
    const said = subjects(stdout.split('\n')).filter((one) => subjects(lines).includes(one));
    expect(said).toEqual(subjects(lines));
  });

  it('events show what the page shows', async () => {
    const { words, lines } = of('events');
    const events = startVerb(server, [...words, '--after', '0'], UTF8);
    await pmanVerb(server, ['run', '--name', 'nightly', '-f', 'exit 2'], UTF8);
    const wanted = lines.map((line) => line.split(/\s+/)).map(([, , type, , name]) => [type, name]);
    await eventually(() => {
      const seen = events
        .shown()
        .stdout.split('\n')
        .map((line) => line.split('\t'));
      return wanted.every((one) =>
        seen.some((line) => one.every((word) => line.includes(word ?? ''))),
      );
    });
    events.kill('SIGKILL');
  });
});
