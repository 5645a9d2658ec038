import { cutText } from './cut.ts';

/** How many of a request's problems are told, and how much of each. */
const MAX_PROBLEMS = 10;
const MAX_CHARACTERS = 300;

/** What is wrong with a request, in one line: the first problems, and how many more there are. */
export function problemsText<T>(problems: readonly T[], describe: (problem: T) => string): string {
  const told = problems
    .slice(0, MAX_PROBLEMS)
    .map((problem) => cutText(describe(problem), MAX_CHARACTERS));
  const more = problems.length - told.length;
  return more > 0 ? `${told.join('; ')}; and ${more} more` : told.join('; ');
}
