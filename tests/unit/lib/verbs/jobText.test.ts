import { constants } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { nameOf, shortId, stateText, tookMs } from '../../../../lib/verbs/jobText.ts';
import { formatted } from '../../../../lib/verbs/printJobs.ts';
import { exitCodeOf } from '../../../../lib/verbs/verbExit.ts';
import { sampleJob } from '../../../helpers/sampleJobs.ts';

const id = '20261128140211.123456_9d4e107b-52c1-8a3e-9b06-448fd58bd3c1';
const job = (members = {}) => sampleJob({ id, ...members });
const reason = (code: string) => ({ code, message: '' });

describe('the exit code by which a job is told', () => {
  it.each([
    [{ state: 'succeeded', exitCode: 0 }, 0],
    [{ state: 'failed', exitCode: 2, reason: reason('exit_code') }, 2],
    [{ state: 'failed', exitCode: -11, reason: reason('signal') }, 139],
    [{ state: 'failed', exitCode: -15, reason: reason('timeout') }, 124],
    [{ state: 'killed', exitCode: -9, reason: reason('killed') }, 137],
    [
      { state: 'killed', exitCode: null, reason: reason('killed') },
      128 + constants.signals.SIGTERM,
    ],
    [{ state: 'failed', exitCode: null, reason: reason('not_started') }, 125],
    [{ state: 'lost', exitCode: null, reason: reason('lost') }, 125],
  ])('%j: %d', (members, code) => {
    expect(exitCodeOf(job(members))).toBe(code);
  });
});

describe('a job in words', () => {
  it('has taken no less than nothing, though the clock was set back', () => {
    const [startedAt, endedAt] = ['2026-11-28T14:00:00.000Z', '2026-11-28T13:00:05.000Z'];
    expect(tookMs({ startedAt, endedAt }, 0)).toBe(0);
    expect(tookMs({ startedAt, endedAt: null }, 0)).toBe(0);
  });

  it.each([
    [{ state: 'waiting', place: 3 }, 'waiting 3'],
    [{ state: 'failed', exitCode: 2 }, 'failed 2'],
    [{ state: 'failed', exitCode: -11 }, 'failed SEGV'],
    [{ state: 'failed', exitCode: -15, reason: reason('timeout') }, 'timeout'],
    [{ state: 'killed', exitCode: -15 }, 'killed'],
    [{}, 'ok'],
  ])('%j stands as %s', (members, text) => {
    expect(stateText(job(members))).toBe(text);
  });

  it.each([
    ['A=1 B=2 /usr/bin/make -j8', 'make'],
    ['sleep;', 'sleep'],
    ['./report/', 'report/'],
    ['', ''],
  ])('the command %j is called %j', (command, name) => {
    expect(nameOf({ jid: '', command })).toBe(name);
    expect(nameOf({ jid: 'own', command })).toBe('own');
  });

  it('has an id of six characters', () => {
    expect(shortId(id)).toBe('9d4e10');
  });

  it('is written as a format asks, and says what there is', () => {
    const line = formatted(
      '{short}\\t{state} {usage.wallSeconds}{labels}',
      job({ labels: { a: 'b' } }),
    );
    expect(line).toBe('9d4e10\tsucceeded {"a":"b"}');
    expect(() => formatted('{stat}', job())).toThrow('a job has no stat; there are: ');
    expect(formatted('{command}', job({ command: 'a\nb' }))).toBe('a\\nb');
  });
});
