import { describe, expect, it } from '@jest/globals';
import { pathError } from '../../../../lib/transfer/pathError.ts';

describe('pathError', () => {
  it.each([
    ['ENOENT', 'not_found', 'no such file or folder'],
    ['EACCES', 'forbidden', 'no permission'],
    ['ELOOP', 'forbidden', 'a symbolic link that is not followed'],
    ['EROFS', 'forbidden', 'read-only file system'],
    ['EDQUOT', 'storage', 'no space left'],
  ])('says in words what %s means', (code, kind, words) => {
    const error = pathError('/x', 'write to', Object.assign(new Error('x'), { code }));
    expect(error).toMatchObject({ code: kind, message: `cannot write to /x: ${code} (${words})` });
  });
});
