import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { isShownElsewhere } from './attack.ts';
import { hostJobs } from './subjects/hostJobs.ts';
import { network } from './subjects/network.ts';
import { otherUsers } from './subjects/otherUsers.ts';
import { places } from './subjects/places.ts';
import { questions } from './subjects/questions.ts';
import { races } from './subjects/races.ts';
import { requests } from './subjects/requests.ts';
import { strangers } from './subjects/strangers.ts';
import { tokens } from './subjects/tokens.ts';
import { transfers } from './subjects/transfers.ts';
import { typos } from './subjects/typos.ts';
import { webhooks } from './subjects/webhooks.ts';
import { webPages } from './subjects/webPages.ts';
import { type Row, readTable, writeTable } from './table.ts';

jest.setTimeout(300_000);

const SUBJECTS = [
  ...[webPages, strangers, tokens, requests, questions, places, races, transfers],
  ...[otherUsers, hostJobs, network, typos, webhooks],
];
/** Whether the table of the page is written, or has to be right. */
const isWriting = process.env.PMAN_ATTACK_WRITE === '1';

const known = isWriting ? [] : readTable();
const knownOf = (subject: string, tried: string) =>
  known.find((row) => row.subject === subject && row.tried === tried)?.happens;
const rows: Row[] = [];

describe.each(SUBJECTS)('attacks: $title', ({ title, attacks }) => {
  for (const attack of attacks) {
    const { tried } = attack;
    const seen = (happens: string) => {
      rows.push({ subject: title, tried, happens });
      // When this fails: is it still safe? Then `npm run attack -- --write` brings the page up to date.
      if (!isWriting) expect(happens).toBe(knownOf(title, tried));
    };
    if (isShownElsewhere(attack)) {
      const [file, name] = attack.shownBy;
      it(`${tried}: ${file} shows it`, () => {
        expect(readFileSync(file, 'utf8')).toContain(name);
        seen(attack.happens);
      });
      continue;
    }
    const reason = attack.missing?.();
    if (reason === undefined) it(tried, async () => seen(await attack.observe()));
    else it.skip(`${tried} (skipped: ${reason})`, () => undefined);
  }
});

describe('the table of docs/security.md', () => {
  it('has no row of an attack that nobody tries', () => {
    const tried = SUBJECTS.flatMap(({ title, attacks }) =>
      attacks.map((attack) => `${title}: ${attack.tried}`),
    );
    for (const row of known) expect(tried).toContain(`${row.subject}: ${row.tried}`);
  });

  it('has each row once', () => {
    const texts = known.map(({ subject, tried }) => `${subject}: ${tried}`);
    expect(texts).toEqual([...new Set(texts)]);
  });

  afterAll(() => {
    if (isWriting) writeTable(rows);
  });
});
