import type { Mark } from './cutText.ts';

/** The signs that are more than letters. */
export interface Signs {
  readonly mark: Mark;
  readonly dot: string;
  readonly rule: string;
  readonly bar: string;
  readonly running: string;
  readonly waiting: string;
  readonly failed: string;
  readonly killed: string;
  readonly ok: string;
  readonly lost: string;
}

export const UNICODE_SIGNS: Signs = {
  mark: '…',
  dot: '·',
  rule: '──',
  bar: '│',
  running: '●',
  waiting: '○',
  failed: '✗',
  killed: '■',
  ok: '✓',
  lost: '?',
};

export const ASCII_SIGNS: Signs = {
  mark: '~',
  dot: '-',
  rule: '--',
  bar: '|',
  running: '*',
  waiting: '.',
  failed: 'x',
  killed: '-',
  ok: '+',
  lost: '?',
};

/** Those that the locale can show (POSIX: LC_ALL wins over LC_CTYPE, that over LANG). None that is set says nothing: UTF-8. */
export function signsOf(env: Readonly<Record<string, string | undefined>>): Signs {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return locale === '' || /utf-?8/i.test(locale) ? UNICODE_SIGNS : ASCII_SIGNS;
}
