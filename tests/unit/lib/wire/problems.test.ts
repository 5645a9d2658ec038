import { expect, it } from '@jest/globals';
import { problemsText } from '../../../../lib/wire/problems.ts';

it('tells at most ten problems, and how many more there are', () => {
  const some = (count: number) => Array.from({ length: count }, (_, i) => i);
  expect(problemsText(some(2), (i) => `p${i}`)).toBe('p0; p1');
  expect(problemsText(some(10), String)).toBe('0; 1; 2; 3; 4; 5; 6; 7; 8; 9');
  expect(problemsText(some(100_000), String)).toBe('0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 99990 more');
});

it('tells the beginning of a long one', () => {
  expect(problemsText([1], () => 'x'.repeat(1000))).toBe(
    `${'x'.repeat(300)}… [700 more characters]`,
  );
});
