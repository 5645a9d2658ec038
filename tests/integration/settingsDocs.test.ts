import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { settings } from '../../lib/config/pmanSettings.ts';
import { envName, type Setting } from '../../lib/config/sources.ts';

const PAGE = 'docs/settings.md';
const BEGIN = '<!-- settings: written by `npm run settings` -->';
const END = '<!-- end of settings -->';

const cell = (text: string) =>
  text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function rowOf({ name, short, value, help, default: fallback }: Setting): string {
  const flag = `--${name}${value === undefined ? '' : ` ${value}`}`.replaceAll('|', '\\|');
  const known = typeof fallback === 'string' ? fallback : '';
  const flags = short === undefined ? `\`${flag}\`` : `\`${flag}\` \`-${short}\``;
  return `| ${flags} | \`${envName('PMAN_', name)}\` | ${known === '' ? '' : `\`${known}\``} | ${cell(help)} |`;
}

/** The tables as they have to be: the settings without a heading of their own first. */
function tables(): string {
  const groups = new Map<string, Setting[]>();
  for (const setting of settings as readonly Setting[]) {
    const group = setting.group?.replace(/:$/, '') ?? '';
    groups.set(group, [...(groups.get(group) ?? []), setting]);
  }
  return [...groups]
    .toSorted(([one], [other]) => Number(one !== '') - Number(other !== ''))
    .flatMap(([group, rows]) => [
      ...(group === '' ? [] : [`### ${group}`, '']),
      '| flag | variable | default | meaning |',
      '| --- | --- | --- | --- |',
      ...rows.map(rowOf),
      '',
    ])
    .join('\n');
}

it('docs/settings.md has the settings that there are, in the words of --help', () => {
  const text = readFileSync(PAGE, 'utf8');
  const [before = '', rest = ''] = text.split(`${BEGIN}\n\n`);
  const [written, after = ''] = rest.split(END);
  if (process.env.PMAN_TEST_DOCUMENT) {
    writeFileSync(PAGE, `${before}${BEGIN}\n\n${tables()}\n${END}${after}`);
  } else {
    expect(written).toBe(`${tables()}\n`);
  }
});
