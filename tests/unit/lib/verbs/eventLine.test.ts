import { describe, expect, it } from '@jest/globals';
import type { JobEvent } from '../../../../lib/client/index.ts';
import { UNICODE_SIGNS } from '../../../../lib/terminal/signs.ts';
import { PLAIN_STYLE } from '../../../../lib/terminal/style.ts';
import { widthOf } from '../../../../lib/terminal/width.ts';
import { EventLines } from '../../../../lib/verbs/eventLine.ts';

const event = (seq: number, type: string, at: string, data: object = {}) =>
  ({
    ...{ seq, type, time: `2026-11-28T14:02:${at}Z`, id: '2026_9d4e10-0000' },
    ...{ jid: 'nightly-and-a-longer-name', data },
  }) as unknown as JobEvent;

const EVENTS = [
  event(18231, 'started', '11.204', { part: 0 }),
  event(18232, 'part_ended', '23.310', { part: 0, exitCode: 2 }),
  event(18233, 'ended', '23.310', { state: 'failed', exitCodes: [2] }),
];
const linesAt = (columns: number) => {
  const lines = new EventLines();
  const looks = { columns, style: PLAIN_STYLE, signs: UNICODE_SIGNS };
  // Without the time of day: it is that of the machine.
  return EVENTS.map((one) => lines.line(one, looks));
};

describe('the lines of events', () => {
  it('say how long a job took whose start was among them: 80 columns', () => {
    expect(linesAt(80).map((line) => line.slice(14))).toEqual([
      '18231  started       9d4e10  nightly-…er-name  part 0',
      '18232  part ended    9d4e10  nightly-…er-name  part 0, exit code 2',
      '18233  ended         9d4e10  nightly-…er-name  failed 2 after 12 s',
    ]);
    const [, , ended] = EVENTS;
    if (ended === undefined) throw new Error('there is none');
    const looks = { columns: 80, style: PLAIN_STYLE, signs: UNICODE_SIGNS };
    expect(new EventLines().line(ended, looks)).toMatch(/ failed 2$/);
  });

  it('say that a job took too long', () => {
    const reason = { code: 'timeout', message: 'time limit 1 s' };
    const late = event(7, 'ended', '23.310', { state: 'failed', exitCodes: [-15], reason });
    const looks = { columns: 80, style: PLAIN_STYLE, signs: UNICODE_SIGNS };
    expect(new EventLines().line(late, looks)).toMatch(/ timeout$/);
  });

  it('leave out the number, then the name, on a narrow terminal', () => {
    expect(linesAt(70).at(-1)?.slice(14)).toBe(
      'ended         9d4e10  nightly-…er-name  failed 2 after …',
    );
    expect(linesAt(65).at(-1)?.slice(14)).toBe('ended         9d4e10  failed 2 after 12 s');
    expect(linesAt(40).at(-1)?.slice(8)).toBe('  ended         9d4e10  failed …');
  });

  it.each([36, 40, 60, 80, 120, 200])('are never wider than %d columns', (columns) => {
    for (const line of linesAt(columns)) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  });
});
