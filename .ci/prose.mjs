// Checks the documents: lines of prose of less than 120 characters (tables and code are as wide as they have to be), links
// within the checkout that lead somewhere, and decisions that are explained somewhere. Plain JavaScript without dependencies.
//
//   npm run prose                  check
//   npm run prose -- --write       wrap the paragraphs that have a longer line
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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
const width = (line) => [...line].length;

/** The lines of a page in pieces: paragraphs and items of lists, and (each alone) whatever else is not to be wrapped. */
function piecesOf(text) {
  const pieces = [];
  let isCode = false;
  let open;
  for (const line of text.split('\n')) {
    const isFence = line.startsWith('```');
    const isProse = !isFence && !isCode && line.trim() !== '' && !/^(\||#|<!--| {4})/.test(line);
    if (isFence) isCode = !isCode;
    if (open && isProse && !/^\s*([-*]|\d+\.)\s/.test(line)) {
      open.lines.push(line);
    } else {
      const piece = { isProse, lines: [line] };
      pieces.push(piece);
      open = isProse ? piece : undefined;
    }
  }
  return pieces;
}

function wrapped(lines) {
  const [, first, start] = /^(\s*(?:[-*]\s+|\d+\.\s+)?)(.*)$/.exec(lines[0]);
  const indent = ' '.repeat(first.length);
  const text = [start, ...lines.slice(1).map((line) => line.trim())].join(' ');
  // Short code is not cut, and no line begins with what would make it an item of a list or a heading.
  const words = text.match(/(?:`[^`]{1,60}`|\S)+/g);
  const made = [first];
  for (const word of words) {
    const last = made.at(-1);
    const isStart = last.trim() === '' || last === first;
    if (isStart || width(`${last} ${word}`) <= widest - 2 || /^([-*+]|#+|\d+\.)$/.test(word)) {
      made[made.length - 1] = isStart ? last + word : `${last} ${word}`;
    } else {
      made.push(indent + word);
    }
  }
  return made;
}

if (process.argv.includes('--write'))
  for (const page of pages) {
    const text = readFileSync(page, 'utf8');
    const lines = piecesOf(text).flatMap(({ isProse, lines }) =>
      isProse && lines.some((line) => width(line) > widest) ? wrapped(lines) : lines,
    );
    if (lines.join('\n') !== text) writeFileSync(page, lines.join('\n'));
  }

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
    else if (!isCode && !line.startsWith('|') && width(line) > widest)
      problems.push(`${place}: ${width(line)} characters, more than ${widest}`);
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
