import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { type GuideOptions, guidesMissing, isAsShown, runGuide } from '../helpers/guide.ts';
import { checkout } from '../helpers/startServer.ts';

const READY =
  'curl --retry 20 --retry-connrefused --retry-delay 1 --silent localhost:5010/readyz >/dev/null';

/** The guides, and what they begin with. */
const GUIDES: Readonly<Record<string, GuideOptions>> = {
  '../README.md': {
    before: `pman >pman.log 2>&1 &\n${READY}`,
    select: ({ info }) => info === 'needs=pman',
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
      };
      expect(said).toEqual({ ...said, isAsShown: true });
    }
    expect({ code, last: steps.at(-1)?.printed }).toMatchObject({ code: 0 });
  });
});
