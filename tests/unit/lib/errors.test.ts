import { describe, expect, it } from '@jest/globals';
import { PmanError, systemErrorCode, UsageError } from '../../../lib/errors.ts';

describe('systemErrorCode', () => {
  it('tells the codes of the system, and takes none of ours for one', () => {
    expect(systemErrorCode(Object.assign(new Error(), { code: 'ENOENT' }))).toBe('ENOENT');
    for (const other of [new UsageError('a'), new PmanError('storage', 'b'), new Error('c'), null])
      expect(systemErrorCode(other)).toBeUndefined();
  });
});
