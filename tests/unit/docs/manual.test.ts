import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ManualPage } from '../../../lib/manual/manualPage.ts';
import { manualPages } from '../../../lib/manual/manualPages.ts';
import { reference } from '../../../lib/manual/reference.ts';
import { roff } from '../../../lib/manual/roff.ts';
import { VERBS } from '../../../lib/verbs/index.ts';
import { describeWithEngine } from '../../helpers/engine.ts';

let pages: readonly ManualPage[];
beforeAll(async () => {
  pages = await manualPages();
});

const page = (text: string): ManualPage => ({
  ...{ name: 'x', program: 'x', summary: text, usage: [text], description: [text] },
  ...{ examples: [[text, text]], options: [{ flags: text, help: text }] },
  ...{ texts: [['TEXT', text]], seeAlso: [] },
});

describe('the manual', () => {
  it('has a page for every verb and every program that is packed', () => {
    const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: object };
    const names = pages.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(bin)));
    expect(names).toEqual(expect.arrayContaining(VERBS.map(({ name }) => `pman-${name}`)));
    expect(new Set(names).size).toBe(names.length);
  });

  it('is what docs/cli-reference.md shows: npm run cli-reference', () => {
    expect(readFileSync('docs/cli-reference.md', 'utf8')).toBe(reference(pages));
  });

  it('has every flag of a verb', () => {
    const run = roff(pages.find(({ name }) => name === 'pman-run') ?? page(''));
    for (const flag of ['\\-f, \\-\\-follow', '\\-\\-push FOLDER', '\\-\\-timeout TIME']) {
      expect(run).toContain(flag);
    }
  });

  it('is ASCII, and no line of a text is taken for a macro', () => {
    const texts = fc.array(fc.constantFrom("'", '.', '\\', '-', 'é', '…', '"', 'a', ' ', '`', '~'));
    fc.assert(
      fc.property(texts, (parts) => {
        const written = roff(page(`x${parts.join('')}`)) + roff(page(`.${parts.join('')}x`));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
        expect(written).toMatch(/^[\x00-\x7f]*$/);
        const macros = /^(\.(TH|SH|TP|B|br|PP|nf|fi)\b.*|(?![.']).*)$/;
        for (const line of written.split('\n')) expect(line).toMatch(macros);
      }),
    );
  });
});

const noMan = () =>
  spawnSync('man', ['--warnings', '--version']).status === 0 ? undefined : 'no man(1) of man-db';

describeWithEngine('man(1)', noMan, () => {
  const folder = mkdtempSync(join(tmpdir(), 'manual-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('shows every page without a warning', () => {
    for (const one of pages) {
      const file = join(folder, `${one.name}.1`);
      writeFileSync(file, roff(one));
      const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80', MANPAGER: 'cat' };
      const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', file], {
        env,
        encoding: 'utf8',
      });
      expect({ name: one.name, stderr }).toEqual({ name: one.name, stderr: '' });
      expect(stdout).toContain('NAME');
    }
  });
});

const noMandoc = () =>
  spawnSync('mandoc', ['-T', 'lint'], { input: '' }).error === undefined ? undefined : 'no mandoc';

describeWithEngine('mandoc, another reader of manual pages', noMandoc, () => {
  it('has nothing to warn of in any page', () => {
    for (const one of pages) {
      const lint = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning'], {
        input: roff(one),
        encoding: 'utf8',
      });
      expect({ name: one.name, said: lint.stdout + lint.stderr }).toEqual({
        name: one.name,
        said: '',
      });
    }
  });
});
