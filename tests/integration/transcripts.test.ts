import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { messageOf } from '../../lib/errors.ts';
import { checkout } from '../helpers/startServer.ts';
import { type Ended, fixedCommands, judgeCommand, playCommand } from '../replay/commands.ts';
import { describeDifference } from '../replay/compare.ts';
import { allRows, FIXED_CRUNNER, HEADERS_ROW } from '../replay/differences.ts';
import { checkFixedBug, fixedBugs } from '../replay/fixedBugs.ts';
import { judge, type Verdict } from '../replay/judge.ts';
import { commandCases, type ServerCase, serverCases } from '../replay/recording.ts';
import { type Played, Session } from '../replay/session.ts';

const SERVER_FILES = [
  'pman-hello-get',
  'pman-jobs',
  'pman-json-mode',
  'pman-auth',
  'pman-db',
  'pman-directive',
  'pman-framing',
  'pman-listener-deaths',
  'pman-swarm',
  'pman-openshift',
  'pman-more',
];
const COMMAND_FILES = ['pman-cli', 'crunner-cli'];

/** Longest time for the cases of one server, in ms; most wait for jobs that sleep. */
const SESSION_MS = 120_000;
/** A case recorded after a pause is asked again until it is as recorded, so long at most, in ms. */
const PAUSE_MS = 10_000;

const count = { exact: 0, tolerated: 0, total: 0 };
const rowsUsed = new Set<string>();

function settle({ rows, unexplained }: Verdict): void {
  count.total += 1;
  expect(unexplained.map(describeDifference)).toEqual([]);
  for (const row of rows) rowsUsed.add(row);
  if (rows.every((row) => row === HEADERS_ROW)) count.exact += 1;
  else count.tolerated += 1;
}

/** Plays the cases in order; a case that cannot be played leaves its error, and the next ones go on. */
async function playAll(
  session: Session,
  cases: readonly ServerCase[],
): Promise<(Played | Error)[]> {
  const played: (Played | Error)[] = [];
  for (const [i, recorded] of cases.entries()) {
    played.push(await playOne(session, recorded, cases[i + 1]));
    session.tidy(recorded);
  }
  return played;
}

async function playOne(
  session: Session,
  recorded: ServerCase,
  next: ServerCase | undefined,
): Promise<Played | Error> {
  try {
    let seen = await session.play(recorded, next);
    const deadline = Date.now() + PAUSE_MS;
    while (recorded.before?.afterMs && judge(seen).unexplained.length > 0) {
      if (Date.now() > deadline) break;
      await sleep(100);
      seen = await session.again(recorded);
    }
    return seen;
  } catch (cause) {
    return new Error(messageOf(cause), { cause });
  }
}

const sessionsOf = (file: string) =>
  serverCases(file).map((cases) => ({ cases, id: cases[0]?.server.id }));

describe.each(SERVER_FILES)('recorded %s', (file) => {
  describe.each(sessionsOf(file))('on server $id', ({ cases }) => {
    let session: Session | undefined;
    let played: (Played | Error)[] = [];

    beforeAll(async () => {
      const [first] = cases;
      if (!first) return;
      session = await Session.start(first);
      played = await playAll(session, cases);
    }, SESSION_MS);

    it.each(cases.map(({ name }, i) => [name, i] as const))('%s', (name, i) => {
      const seen = played[i];
      if (seen === undefined) throw new Error('not played: its server did not start');
      if (seen instanceof Error) throw seen;
      const fixed = fixedBugs[name];
      if (fixed === undefined) return settle(judge(seen));
      count.total += 1;
      checkFixedBug(fixed, seen);
      count.tolerated += 1;
      rowsUsed.add(fixed.row);
    });

    afterAll(() => session?.close(), 20_000);
  });
});

describe.each(COMMAND_FILES)('recorded %s', (file) => {
  it.each(commandCases(file).map((recorded) => [recorded.name, recorded] as const))(
    '%s',
    async (name, recorded) => {
      const ended: Ended = await playCommand(recorded);
      const fixed = fixedCommands[name];
      if (fixed === undefined) return settle(judgeCommand(recorded, ended));
      count.total += 1;
      fixed(ended);
      count.tolerated += 1;
      rowsUsed.add(FIXED_CRUNNER.id);
    },
    20_000,
  );
});

describe('the replay', () => {
  it('knows what to expect wherever the original was at fault', () => {
    const atFault = [...SERVER_FILES.flatMap((file) => serverCases(file).flat())]
      .filter(({ originalBug }) => originalBug !== undefined)
      .map(({ name }) => name);
    expect(atFault.filter((name) => fixedBugs[name] === undefined)).toEqual([]);
    const commandsAtFault = COMMAND_FILES.flatMap((file) => commandCases(file))
      .filter(({ originalBug }) => originalBug !== undefined)
      .map(({ name }) => name);
    expect(commandsAtFault.filter((name) => fixedCommands[name] === undefined)).toEqual([]);
  });

  it('tolerates nothing that docs/differences.md does not tell', () => {
    const path = join(checkout, 'docs/differences.md');
    const told = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const untold = allRows.filter(({ id }) => !new RegExp(`^\\|\\s*${id}\\s*\\|`, 'm').test(told));
    expect(untold.map(({ id, what }) => `${id} ${what}`)).toEqual([]);
  });

  afterAll(() => {
    const { exact, tolerated, total } = count;
    const rows = [...rowsUsed].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
    process.stdout.write(
      `replay: ${total} cases, ${exact} as recorded (HTTP's own headers aside), ${tolerated} by a row of docs/differences.md (${rows.join(' ')}), ${total - exact - tolerated} differ\n`,
    );
  });
});
