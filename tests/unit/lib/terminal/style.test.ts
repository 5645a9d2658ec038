import { describe, expect, it } from '@jest/globals';
import { ASCII_SIGNS, signsOf, UNICODE_SIGNS } from '../../../../lib/terminal/signs.ts';
import { COLOUR_STYLE, PLAIN_STYLE, styleOf } from '../../../../lib/terminal/style.ts';

describe('colours', () => {
  it.each([
    [true, 'auto', {}, COLOUR_STYLE],
    [true, 'auto', { NO_COLOR: '1' }, PLAIN_STYLE],
    [true, 'auto', { NO_COLOR: '' }, COLOUR_STYLE],
    [true, 'auto', { TERM: 'dumb' }, PLAIN_STYLE],
    [true, 'never', {}, PLAIN_STYLE],
    [false, 'auto', {}, PLAIN_STYLE],
    [false, 'always', { NO_COLOR: '1' }, COLOUR_STYLE],
  ] as const)('on a terminal: %j, wish %s, environment %j', (isTerminal, wish, env, style) => {
    expect(styleOf(isTerminal, wish, env)).toBe(style);
  });

  it('are the ones of the terminal, and nothing for nothing', () => {
    expect(COLOUR_STYLE.red('x')).toBe('\u001b[31mx\u001b[39m');
    expect(COLOUR_STYLE.red('')).toBe('');
    expect(PLAIN_STYLE.bold('x')).toBe('x');
  });
});

it.each([
  [{}, UNICODE_SIGNS],
  [{ LANG: 'de_DE.UTF-8' }, UNICODE_SIGNS],
  [{ LANG: 'C' }, ASCII_SIGNS],
  [{ LANG: 'C', LC_ALL: 'C.utf8' }, UNICODE_SIGNS],
  [{ LANG: 'en_US.UTF-8', LC_CTYPE: 'POSIX' }, ASCII_SIGNS],
])('signs of the locale %j', (env, signs) => {
  expect(signsOf(env)).toBe(signs);
});
