import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { blocksOf } from '../helpers/guide.ts';

/** The languages of what is typed, or run as a program; a block without a language is either. */
const RUN = new Set(['sh', 'bash', 'ts', 'python', '']);
/** What the commands of a guide may need that the test of the guides has not; each is tried elsewhere, or said why not. */
const NEEDS: Readonly<Record<string, string>> = {
  '': 'tests/integration/guides.test.ts',
  'needs=pman': 'tests/integration/guides.test.ts',
  // HTTPie and ZeroMQ of Python.
  'needs=python': 'tests/integration/python-clients.test.ts',
  'needs=systemd': 'tests/integration/service.test.ts',
  // The package is built, installed and run from a registry by CI.
  'needs=registry': '.ci/package.mjs',
  'needs=docker-build': 'tests/engines/images.sh',
  // Commands that look at the reader's own server.
  'needs=server': '',
};
const GUIDES = [
  ...['README.md', 'docs/install.md', 'docs/first-hour.md', 'docs/files.md', 'docs/operating.md'],
  ...['docs/moving.md', 'docs/troubleshooting.md', 'docs/api.md', 'docs/cli-tools.md'],
  ...['docs/pfioh.md', 'docs/purl.md', 'docs/security.md'],
];
/** Tests of what pages show beside their commands: requests with answers, terminals. */
const SHOWN = ['tests/integration/api-page.test.ts', 'tests/integration/cli-tools-docs.test.ts'];
/** Pages whose examples have a test of their own. */
const OWN_TEST: Readonly<Record<string, string>> = {
  'docs/cli.md': 'tests/integration/cli-docs.test.ts',
  // Made of the same tables as the help; the examples of verbs are lines to be completed.
  'docs/cli-reference.md': 'tests/unit/docs/manual.test.ts',
  'docs/client.md': 'tests/integration/clientDocs.test.ts',
  'docs/containers.md': 'tests/integration/container-jobs.test.ts',
  'docs/crunner.md': 'tests/integration/crunner-docs.test.ts',
  'docs/docker.md': 'tests/integration/readme-example.test.ts',
  'docs/metrics.md': 'tests/integration/apiDocs.test.ts',
  'docs/modules.md': 'tests/integration/modules.test.ts',
  'docs/openshift.md': 'tests/integration/manifests.test.ts',
  'docs/rest-api.md': 'tests/integration/apiDocs.test.ts',
  'docs/swarm.md': 'tests/integration/swarm-cli.test.ts',
  'docs/webhooks.md': 'tests/integration/apiDocs.test.ts',
};
/** Pages with examples that no test types as they stand, since they are for a fresh clone. */
const NOT_TYPED = new Set(['CONTRIBUTING.md']);

const pages = ['README.md', 'CONTRIBUTING.md'].concat(
  readdirSync('docs')
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
);
const withExamples = pages.filter((page) =>
  blocksOf(page).some(({ language }) => RUN.has(language)),
);

it('each page with commands is typed by a test, or is named as one that is not', () => {
  const known = [...GUIDES, ...Object.keys(OWN_TEST), ...NOT_TYPED];
  expect(withExamples.filter((page) => !known.includes(page))).toEqual([]);
  expect(known.filter((page) => !withExamples.includes(page) && !GUIDES.includes(page))).toEqual(
    [],
  );
});

it('the tests that type them are there', () => {
  const tests = [...Object.values(OWN_TEST), ...Object.values(NEEDS), ...SHOWN].filter(
    (file) => file !== '',
  );
  expect(tests.filter((file) => !existsSync(file))).toEqual([]);
});

it.each(GUIDES)('each block of %s says what it is, and what it needs', (page) => {
  for (const { language, info, line } of blocksOf(page)) {
    expect({ line, language }).toEqual({
      line,
      language: expect.stringMatching(/^(sh|fish|python|text|json|ini|yaml)$/),
    });
    if (language === 'sh' || language === 'python') expect(Object.keys(NEEDS)).toContain(info);
  }
});
