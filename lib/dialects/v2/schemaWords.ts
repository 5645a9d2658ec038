import { z } from 'zod';
import { nearName } from '../../wire/nearName.ts';

type Issue = z.core.$ZodIssue;

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

/**
 * A problem that a schema has found, in words that name the member, and what it has to be.
 * @param value what was checked
 * @param schema what it was checked against: near names are looked for among its members
 */
export function issueWords(issue: Issue, value: unknown, schema: z.ZodType): string {
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
    const wanted = TYPES[issue.expected] ?? issue.expected;
    if (path.length === 0) return `has to be ${wanted}`;
    return valueAt(value, path) === undefined
      ? `${member} is missing`
      : `${member} has to be ${wanted}`;
  }
  if (issue.code === 'invalid_value') return `${member} is none of ${issue.values.join(', ')}`;
  return path.length === 0 ? message : `${member}: ${message}`;
}

const valueAt = (value: unknown, path: readonly PropertyKey[]) =>
  path.reduce<unknown>((within, key) => Object(within)[key], value);
