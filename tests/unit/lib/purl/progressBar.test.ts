import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import {
  formatBytes,
  formatSeconds,
  jsonProgress,
  PacedProgress,
  type ProgressState,
  progressLine,
} from '../../../../lib/purl/progressBar.ts';

describe('PacedProgress', () => {
  it('shows bytes, rate and time left, not more often than asked for', () => {
    const shown: [ProgressState, boolean][] = [];
    let nowMs = 0;
    const progress = new PacedProgress(
      (state, done) => shown.push([state, done]),
      100,
      () => nowMs,
    );
    progress.start(1000);
    for (; nowMs < 500; nowMs += 50) progress.add(50);
    progress.stop();
    expect(shown).toHaveLength(5);
    expect(shown[1]).toEqual([{ bytes: 250, total: 1000, rate: 1250, secondsLeft: 0.6 }, false]);
    expect(shown.at(-1)).toEqual([{ bytes: 500, total: 1000, rate: 1000, secondsLeft: 0.5 }, true]);
  });

  it('counts what an earlier try sent, but not for the rate', () => {
    const shown: ProgressState[] = [];
    let nowMs = 0;
    const progress = new PacedProgress(
      (state) => shown.push(state),
      100,
      () => nowMs,
    );
    progress.start(1000, 800);
    nowMs = 1000;
    progress.add(100);
    expect(shown).toEqual([{ bytes: 900, total: 1000, rate: 100, secondsLeft: 1 }]);
  });

  it('knows no time left without a total, and says nothing when nothing was started', () => {
    const shown: ProgressState[] = [];
    const progress = new PacedProgress(
      (state) => shown.push(state),
      100,
      () => 0,
    );
    progress.stop();
    expect(shown).toEqual([]);
    progress.start(undefined);
    progress.stop();
    progress.stop();
    expect(shown).toEqual([{ bytes: 0, total: undefined, rate: 0, secondsLeft: undefined }]);
  });
});

describe('progressLine', () => {
  it.each([
    [
      { bytes: 512, total: 1024, rate: 256, secondsLeft: 2 },
      '[###############---------------] 50%  512 B of 1.0 KiB  256 B/s  0:02 left',
    ],
    [
      { bytes: 0, total: 0, rate: 0, secondsLeft: undefined },
      `[${'#'.repeat(30)}] 100%  0 B of 0 B  0 B/s`,
    ],
    [{ bytes: 2048, total: undefined, rate: 1024, secondsLeft: undefined }, '2.0 KiB  1.0 KiB/s'],
  ])('shows %j', (state, line) => {
    expect(progressLine(state)).toBe(line);
  });

  it('never shows more than all of it', () => {
    expect(progressLine({ bytes: 30, total: 10, rate: 1, secondsLeft: 0 })).toContain('] 100%');
  });
});

describe('jsonProgress', () => {
  it('writes one JSON object a line', () => {
    let text = '';
    const out = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    });
    const progress = jsonProgress(out);
    progress.start(10);
    progress.add(10);
    progress.stop();
    expect(text.endsWith('\n')).toBe(true);
    expect(JSON.parse(text)).toMatchObject({ progress: { bytes: 10, total: 10, done: true } });
  });
});

describe('sizes and times', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [5 * 1024 ** 4, '5.0 TiB'],
    [5 * 1024 ** 5, '5120.0 TiB'],
  ])('writes %d bytes as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0, '0:00'],
    [59.6, '1:00'],
    [3600, '1:00:00'],
    [7384, '2:03:04'],
  ])('writes %d seconds as %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));
});
