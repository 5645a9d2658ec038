import type { z } from 'zod';
import { problemsText } from '../wire/problems.ts';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
  object: 'an object {…}',
};

/**
 * What is wrong with a message, in words for whoever wrote it: `meta.local is missing`. `root` is what
 * the checked value is called.
 */
export function describeFaults(error: z.ZodError, root: string): string {
  return problemsText(
    error.issues,
    (issue) => `${[root, ...issue.path].join('.')} ${fault(issue)}`,
  );
}

function fault(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    if (issue.message.endsWith('received undefined')) return 'is missing';
    return `has to be ${KINDS[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'invalid_union') return 'has to be a text or a number';
  if (issue.code === 'too_small') return issue.origin === 'string' ? 'is empty' : 'is too small';
  return 'is not as it has to be';
}
