import { describe, expect, it } from '@jest/globals';
import {
  bytesWords,
  middleCut,
  shortId,
  span,
  stateWords,
  tookWords,
  whyWords,
} from '../../../../../lib/page/browser/shown.ts';
import { stateText } from '../../../../../lib/verbs/jobText.ts';

const timeout = { code: 'timeout', message: '' } as const;

describe('what people are told', () => {
  it.each([
    [0, '0s'],
    [59_400, '59s'],
    [184_000, '3m04s'],
    [600_000, '10m'],
    [3_700_000, '1h01m'],
    [11 * 3_600_000, '11h'],
    [2 * 86_400_000, '2d'],
    [-5, '0s'],
  ])('%d ms are %s', (ms, words) => expect(span(ms)).toBe(words));

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [20 * 1024, '20 KiB'],
    [1.5 * 1024 ** 3, '1.5 GiB'],
  ])('%d bytes are %s', (bytes, words) => expect(bytesWords(bytes)).toBe(words));

  it('cuts a name in the middle, and says so', () => {
    expect(middleCut('train-width2-lr0.1', 10)).toBe('train…r0.1');
    expect(middleCut('short', 10)).toBe('short');
  });

  it('calls a job by the beginning of its uuid', () => {
    expect(shortId('20261129040802.738780_7c8c4296-49fa-80fb')).toBe('7c8c42');
  });

  it.each([
    [{ state: 'failed', exitCode: 2, place: null }, 'failed 2'],
    [{ state: 'failed', exitCode: -11, place: null }, 'failed SEGV'],
    [{ state: 'failed', exitCode: -64, place: null }, 'failed signal 64'],
    [{ state: 'failed', exitCode: -15, place: null, reason: timeout }, 'timeout'],
    [{ state: 'failed', exitCode: null, place: null }, 'failed'],
    [{ state: 'waiting', exitCode: null, place: 3 }, 'waiting 3'],
    [{ state: 'succeeded', exitCode: 0, place: null }, 'ok'],
  ] as const)('%j is %s, as pman ls says it', (job, words) => {
    const whole = { reason: null, ...job };
    expect([stateWords(whole), stateText(whole)]).toEqual([words, words]);
  });

  it('does not count on where nobody knows the end', () => {
    const lost = { state: 'lost', startedAt: '2026-11-29T12:00:00.000Z', endedAt: null } as const;
    expect(tookWords(lost, Date.now())).toBe('');
  });

  it('says why', () => {
    const part = { command: 'x', cause: null, startedAt: null, endedAt: null };
    const parts = [
      { ...part, exitCode: 0 },
      { ...part, exitCode: 2 },
    ];
    const reason = { code: 'exit_code', message: 'm' } as const;
    const failed = { state: 'failed' as const, exitCode: 2, place: null, reason, parts };
    expect(whyWords(failed)).toBe(
      'Part 1 of 2 ended with exit code 2. What it wrote to stderr may say why.',
    );
    const queued = { code: 'queued', message: 'm' } as const;
    const waiting = {
      state: 'waiting',
      exitCode: null,
      place: 4,
      reason: queued,
      parts: [],
    } as const;
    expect(whyWords({ ...waiting, parts: [] })).toContain('place 4');
    expect(whyWords({ ...failed, reason: null })).toBeUndefined();
  });
});
