import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { type GuideOptions, guidesMissing, isAsShown, runGuide } from '../helpers/guide.ts';
import { checkout } from '../helpers/startServer.ts';

const READY =
  'curl --retry 20 --retry-connrefused --retry-delay 1 --silent localhost:5010/readyz >/dev/null';

const PMAN = `pman >pman.log 2>&1 &\n${READY}`;
const pfiohReady = (url: string) =>
  `curl --retry 20 --retry-connrefused --retry-delay 1 -ks -d '{"action": "hello"}' ${url} >/dev/null`;
/** A command that serves, in the background, with its folder in the home; then it is waited for. */
const serving = (text: string, ready: string) =>
  `${text.trimEnd().replaceAll('/data/', '$HOME/')} >>served.log 2>&1 &\n${ready}\n`;
const CERTIFICATE =
  'openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.pem -subj /CN=localhost 2>/dev/null';

/** The guides, and what they begin with. */
const GUIDES: Readonly<Record<string, GuideOptions>> = {
  '../README.md': {
    before: PMAN,
    select: ({ info }) => info === 'needs=pman',
  },
  'api.md': { before: PMAN, select: ({ info }) => info === 'needs=pman' },
  'cli-tools.md': {},
  'pfioh.md': {
    before: 'mkdir -p store/key-jid-1/incoming && echo x >store/key-jid-1/incoming/x',
    typed: (text) =>
      text.startsWith('pfioh ') ? serving(text, pfiohReady('localhost:5055')) : text,
  },
  'purl.md': {
    before: [
      ...['mkdir -p results/out && echo x >results/out/x', PMAN],
      serving(
        'pfioh --forever --storeBase /data/store --createDirsAsNeeded',
        pfiohReady('localhost:5055'),
      ),
      `echo '{"action": "hello", "meta": {"askAbout": "timestamp"}}' >push.json`,
    ].join('\n'),
    typed: (text) =>
      text
        .replaceAll('node7:', 'localhost:')
        .replace('https://example.org/file', 'localhost:5010/api/v1/hello'),
  },
  'security.md': {
    before: `${CERTIFICATE}\nmkdir store`,
    typed: (text) => {
      const lines = text
        .trimEnd()
        .replace(/ \[.*\]/, '')
        .split('\n');
      const ready = (line: string) => {
        if (line.startsWith('pfioh')) return pfiohReady('https://localhost:5055');
        return line.includes('--tls') ? READY.replace('localhost', '-k https://localhost') : READY;
      };
      return lines
        .map((line) => `${serving(line, ready(line))}kill $!\nwait $! || true\n`)
        .join('');
    },
  },
  'install.md': {},
  'first-hour.md': {},
  'files.md': {},
  'operating.md': {},
  'moving.md': { env: { OLD: join(checkout, 'tests/golden/db-sample/pman') } },
};

describeWithEngine('a reader who types what a guide says', guidesMissing, () => {
  jest.setTimeout(180_000);

  it.each(Object.entries(GUIDES))('gets what it shows: %s', async (page, options) => {
    const { code, steps } = await runGuide(`docs/${page}`, options);
    for (const { line, text, printed, shown } of steps) {
      const said = {
        line,
        text,
        printed,
        isAsShown: shown === undefined || isAsShown(printed, shown),
        isRefused: /"status": ?false/.test(printed),
      };
      expect(said).toEqual({ ...said, isAsShown: true, isRefused: false });
    }
    expect({ code, last: steps.at(-1)?.printed }).toMatchObject({ code: 0 });
  });
});
