// Writes the manual pages and the command line reference from the tables of the programs.
// Usage: node .ci/manual.mjs FOLDER puts the pages into FOLDER/man; without a folder docs/cli-reference.md is written.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
const script = `Promise.all([import('./lib/manual/manualPages.ts'), import('./lib/manual/roff.ts'), import('./lib/manual/reference.ts')])
  .then(async ([{ manualPages }, { roff }, { reference }]) => {
    const pages = await manualPages();
    const all = pages.map((page) => [page.name, roff(page)]);
    process.stdout.write(JSON.stringify({ all, reference: reference(pages) }));
  })`;
const text = execFileSync(process.execPath, ['--import', 'tsx', '--eval', script], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
const { all, reference } = JSON.parse(text);
if (folder === undefined) writeFileSync('docs/cli-reference.md', reference);
else {
  const man = join(folder, 'man');
  mkdirSync(man, { recursive: true });
  for (const [name, page] of all) writeFileSync(join(man, `${name}.1`), page);
}
