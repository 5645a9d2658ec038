// Checks the prose of the documents: lines of less than 120 characters (tables and code are as wide as they have to be), links
// within the checkout that lead somewhere, and decisions that are explained somewhere. Plain JavaScript without dependencies.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const widest = 119;
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].concat(
  readdirSync('docs', { recursive: true })
    .map((file) => join('docs', file))
    .filter((file) => file.endsWith('.md'))
    .sort(),
);
const problems = [];
const linked = new Map();

/** The name that GitHub gives a heading as the target of a link. */
const anchorOf = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
const anchorsOf = (page) =>
  [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading));

for (const page of pages) {
  let isCode = false;
  for (const [i, line] of readFileSync(page, 'utf8').split('\n').entries()) {
    const place = `${page}:${i + 1}`;
    if (line.startsWith('```')) isCode = !isCode;
    else if (!isCode && !line.startsWith('|') && [...line].length > widest)
      problems.push(`${place}: ${[...line].length} characters, more than ${widest}`);
    if (isCode) continue;
    for (const [, target] of line.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path, anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(file)) problems.push(`${place}: there is no ${file}`);
      else if (anchor && !anchorsOf(file).includes(anchor))
        problems.push(`${place}: ${file} has no heading #${anchor}`);
      linked.set(file, [...(linked.get(file) ?? []), page]);
    }
  }
}

const index = 'docs/decisions/README.md';
for (const page of pages.filter((page) => /^docs\/decisions\/\d/.test(page))) {
  const from = linked.get(page) ?? [];
  if (!from.includes(index)) problems.push(`${page} is missing in ${index}`);
  if (from.every((other) => other === index))
    problems.push(`no page that explains the subject links to ${page}`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else
  console.log(
    `${pages.length} documents: lines of prose of at most ${widest} characters, links that lead somewhere`,
  );
