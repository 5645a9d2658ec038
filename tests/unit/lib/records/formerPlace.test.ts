import { chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formerDatabase } from '../../../../lib/records/formerPlace.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

describe('formerDatabase', () => {
  it('names the folder of this user, and nothing else of that name', () => {
    const top = tempDir();
    const place = join(top, 'pman');
    expect(formerDatabase(place)).toBeUndefined();
    mkdirSync(place);
    expect(formerDatabase(place)).toBe(place);
    symlinkSync(place, join(top, 'link'));
    writeFileSync(join(top, 'file'), '');
    expect(formerDatabase(join(top, 'link'))).toBeUndefined();
    expect(formerDatabase(join(top, 'file'))).toBeUndefined();
    if (process.geteuid?.() !== 0) return;
    chownSync(place, 65_534, 65_534);
    expect(formerDatabase(place)).toBeUndefined();
  });
});
