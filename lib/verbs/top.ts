import { UsageError } from '../errors.ts';
import type { Verb } from './verb.ts';
export const top: Verb = {
  usage: ['[flags]'],
  examples: [],
  flags: [],
  async run() {
    throw new UsageError('not yet');
  },
};
