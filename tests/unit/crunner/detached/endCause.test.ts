import { describe, expect, it } from '@jest/globals';
import { endCause, leftWords, limitCause } from '../../../../crunner/detached/endCause.ts';

const killed = { signal: 'SIGTERM', graceMs: 1000, cause: 'time limit 4 s' } as const;
const NOTHING = { oomKills: 0, refused: 0 };

describe('endCause', () => {
  it('names what could not be ended', () => {
    const left = [{ pid: 12, name: 'sudo' }];
    expect(endCause({ returncode: -15 }, killed, false, left)).toBe(
      'time limit 4 s (SIGTERM); could not be ended and still run: 12 (sudo)',
    );
  });

  it('says nothing of what is left when all has ended', () => {
    expect(endCause({ returncode: -15 }, killed, false, [])).toBe('time limit 4 s (SIGTERM)');
  });
});

describe('leftWords', () => {
  it('names ten, and counts the others', () => {
    const left = Array.from({ length: 12 }, (_, i) => ({ pid: i + 1, name: 'x' }));
    expect(leftWords(left)).toMatch(/: 1 \(x\), .*10 \(x\) and 2 more$/);
  });
});

describe('limitCause', () => {
  const limits = {
    memory: { bytes: 64 * 1024 * 1024, by: 'cgroup' },
    processes: { count: 40, by: 'cgroup' },
  } as const;

  it('says that the memory of the job was at its end, and what its limit is', () => {
    const exit = limitCause({ returncode: -9 }, limits, { ...NOTHING, oomKills: 1 });
    expect(exit.cause).toBe('the job ran out of memory: its limit is 64Mi');
  });

  it('says so without a limit of its own, too: one of a group above it', () => {
    const exit = limitCause({ returncode: -9 }, {}, { ...NOTHING, oomKills: 1 });
    expect(exit.cause).toBe('the job ran out of memory');
  });

  it('says that the job wanted too many processes', () => {
    const exit = limitCause({ returncode: 2 }, limits, { ...NOTHING, refused: 3 });
    expect(exit.cause).toBe('the job wanted more processes than its limit of 40');
  });

  it.each([
    [{ returncode: 0 }, { oomKills: 1, refused: 1 }],
    [{ returncode: 1 }, NOTHING],
    [
      { returncode: null, cause: 'known' },
      { oomKills: 1, refused: 0 },
    ],
  ])('leaves %j alone with %j', (exit, events) => {
    expect(limitCause(exit, limits, events)).toBe(exit);
  });
});
