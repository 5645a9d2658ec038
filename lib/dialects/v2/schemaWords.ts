import { z } from 'zod';
import { nearName } from '../../wire/nearName.ts';

type Issue = z.core.$ZodIssue;

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

/** What a schema was held against. */
export interface Checked {
  /** `path`, `query` or `body`. */
  readonly where: string;
  readonly value: unknown;
  /** Near names are looked for among its members. */
  readonly schema: z.ZodType;
}

/**
 * A problem that a schema has found, in words that name the member, and what it has to be.
 */
export function issueWords(issue: Issue, { where, value, schema }: Checked): string {
  const { path, message } = issue;
  const member = `"${path.join('.')}"`;
  if (issue.code === 'unrecognized_keys') {
    const known =
      path.length === 0 && schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
    return issue.keys
      .map((key) => {
        const near = nearName(key, known);
        const what = JSON.stringify(key.slice(0, 80));
        return `there is no ${what}${near === undefined ? '' : `; is "${near}" meant?`}`;
      })
      .join('; ');
  }
  if (issue.code === 'invalid_type') {
    const found = valueAt(value, path);
    // In a query each member is a text, and a list is what is there several times.
    if (issue.expected === 'string' && Array.isArray(found) && where === 'query')
      return `${member} is there several times`;
    const wanted = TYPES[issue.expected] ?? issue.expected;
    if (path.length === 0) return `has to be ${wanted}`;
    return found === undefined ? `${member} is missing` : `${member} has to be ${wanted}`;
  }
  if (issue.code === 'invalid_value') return `${member} is none of ${issue.values.join(', ')}`;
  return path.length === 0 ? message : `${member}: ${message}`;
}

/**
 * How far a value is from its bounds, where the schema has no words of its own for that: zod's are not for people. To be given
 * to `safeParse`.
 */
export function boundWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'too_small') return bound(issue.minimum, issue.inclusive, issue.origin, LEAST);
  if (issue.code === 'too_big') return bound(issue.maximum, issue.inclusive, issue.origin, MOST);
  if (issue.code === 'not_multiple_of') return `is no multiple of ${issue.divisor}`;
  return undefined;
}

interface BoundWords {
  readonly atBound: string;
  readonly beyond: string;
  readonly few: string;
}
const LEAST: BoundWords = { atBound: 'or more', beyond: 'more than', few: 'less' };
const MOST: BoundWords = { atBound: 'or less', beyond: 'less than', few: 'more' };

function bound(
  limit: number | bigint,
  isInclusive: boolean | undefined,
  origin: string,
  { atBound, beyond, few }: BoundWords,
): string {
  if (origin === 'string' || origin === 'array') {
    if (few === 'less' && Number(limit) === 1) return 'is empty';
    return `has ${few} than ${limit} ${origin === 'string' ? 'characters' : 'entries'}`;
  }
  return isInclusive === false ? `has to be ${beyond} ${limit}` : `has to be ${limit} ${atBound}`;
}

const valueAt = (value: unknown, path: readonly PropertyKey[]) =>
  path.reduce<unknown>((within, key) => Object(within)[key], value);
