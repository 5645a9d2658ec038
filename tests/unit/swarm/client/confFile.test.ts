import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { baseUrlOf } from '../../../../swarm/client/confFile.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

function confFile(text: string): string {
  const file = join(tempDir(), 'swarm.ini');
  writeFileSync(file, text);
  return file;
}

describe('baseUrlOf', () => {
  it.each([
    '[DEFAULT]\nbase_url = unix:///x.sock\n',
    '; comment\n[DEFAULT]\nBASE_URL=unix:///x.sock',
    '[DEFAULT]\nbase_url: unix:///x.sock\n[other]\nbase_url = no\n',
  ])('reads %j', async (text) => {
    expect(await baseUrlOf(confFile(text))).toBe('unix:///x.sock');
  });

  it.each(['', '[other]\nbase_url = x\n', '[DEFAULT]\nbase_url =\n'])(
    'finds no address in %j, which leaves the default, as in swarm.py',
    async (text) => {
      expect(await baseUrlOf(confFile(text))).toBeUndefined();
    },
  );

  it('says which file is not there', async () => {
    await expect(baseUrlOf('/nosuch.ini')).rejects.toThrow(
      /cannot read the config file: .*nosuch\.ini/,
    );
  });
});
