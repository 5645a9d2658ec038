import { describe, expect, it } from '@jest/globals';
import {
  ageText,
  agoText,
  bytesText,
  durationText,
  shortBytes,
  spanText,
  tookText,
} from '../../../../lib/terminal/amounts.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

describe('times for people', () => {
  it.each([
    [0, '0s', '0s'],
    [59.9 * S, '59s', '59s'],
    [3 * M + 4 * S, '3m04s', '3m04s'],
    [10 * M, '10m', '10m00s'],
    [65 * M, '1h', '1h05m'],
    [47 * H, '47h', '1d23h'],
    [6 * D, '6d', '6d00h'],
    [800 * D, '2y', '800d00h'],
    [-5 * S, '0s', '0s'],
  ])('%d ms is an age of %s and lasted %s', (ms, age, took) => {
    expect([ageText(ms), tookText(ms)]).toEqual([age, took]);
  });

  it('tells sentences', () => {
    expect([durationText(9800), durationText(12_400), durationText(184 * S)]).toEqual([
      ...['9.8 s', '12 s', '3m04s'],
    ]);
    expect([spanText(90 * S), spanText(H), spanText(30 * S)]).toEqual(['1m30s', '1h', '30s']);
    expect([agoText(12 * S), agoText(M), agoText(H), agoText(3 * D)]).toEqual([
      ...['12 s ago', 'a minute ago', 'an hour ago', '3 days ago'],
    ]);
    expect(tookText(undefined)).toBe('');
  });
});

it.each([
  [0, '0 B', '0B'],
  [412, '412 B', '412B'],
  [1023.6, '1 KiB', '1K'],
  [18 * 1024, '18 KiB', '18K'],
  [1.24 * 1024 ** 3, '1.2 GiB', '1.2G'],
  [1024 ** 2 - 1, '1 MiB', '1M'],
])('%d bytes are %s', (bytes, long, short) => {
  expect([bytesText(bytes), shortBytes(bytes)]).toEqual([long, short]);
});
