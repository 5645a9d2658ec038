import { expect, it } from '@jest/globals';
import { inheritedUmask, setOwnUmask } from '../../../../lib/host/umask.ts';

it('the umask that a process was started with is remembered, however often it takes another one', () => {
  const before = process.umask(0o022);
  try {
    expect(inheritedUmask()).toBe(0o022);
    process.umask(0o002);
    expect(inheritedUmask()).toBe(0o002);
    setOwnUmask(0o077);
    setOwnUmask(0o027);
    expect(process.umask()).toBe(0o027);
    expect(inheritedUmask()).toBe(0o002);
  } finally {
    process.umask(before);
  }
});
