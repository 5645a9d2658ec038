import { PmanClientError } from '../client/index.ts';
import { UsageError } from '../errors.ts';
import { flagValue, type Words } from './flagWords.ts';

/** The flags that are called in another way than the members of a job that they stand for. */
const FLAG_OF: Readonly<Record<string, string>> = {
  jid: 'name',
  maxOutput: 'max-output',
  labels: 'label',
  mounts: 'mount',
};

/**
 * What the server says of a member of a job, in the words of the flag that it came from: its rules are the only ones, and whoever
 * types knows no members. Other errors as they are, such as a folder that is not there.
 */
export function refusedFlag(error: unknown, words: Words): unknown {
  if (!(error instanceof PmanClientError) || error.status !== 400) return error;
  // A member that is right, and that this server or its back-end has no use for, has another hint.
  if (error.hint?.includes('/openapi.json') !== true) return error;
  const [, member, , said] = /^the body: "(\w+)(\.[^"]*)?":? (.*)$/s.exec(error.message) ?? [];
  if (member === undefined || said === undefined) return error;
  const flag = FLAG_OF[member] ?? member;
  const value = flagValue(words, flag);
  if (value === undefined) return error;
  const isOne = words.values.get(flag)?.length === 1;
  return new UsageError(`--${flag}${isOne ? ` ${JSON.stringify(value)}` : ''} ${said}`);
}
