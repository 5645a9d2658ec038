import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { STRANGER, strangerMissing } from '../helpers/stranger.ts';
import { Opened } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

const LONG_AGO = new Date('2020-01-01');
const UUID = '0f3e8f5c-1111-2222-3333-444455556666';

/** A folder where all may write and nobody may remove what is another's: root has left some things there. */
function sharedFolder(): string {
  const folder = join(opened.folder(), 'shared');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  mkdirSync(join(folder, `.pfioh-999999999-${UUID}.tmp`), { mode: 0o700 });
  const part = join(folder, `.pfioh-${'a'.repeat(32)}.part`);
  writeFileSync(part, 'x', { mode: 0o600 });
  utimesSync(part, LONG_AGO, LONG_AGO);
  chmodSync(join(folder, '..'), 0o755);
  for (const path of [folder, join(folder, 'sub')]) chmodSync(path, 0o1777);
  return folder;
}

/** A folder that everybody may read. */
function sources(): string {
  const folder = join(opened.folder(), 'from');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'one'), '1');
  writeFileSync(join(folder, 'sub/two'), '2');
  chmodSync(join(folder, '..'), 0o755);
  return folder;
}

describeWithEngine('a folder that users share', strangerMissing, () => {
  describe('where another one has left folders and rests of transfers', () => {
    it('takes what purl pulls', async () => {
      const here = sharedFolder();
      const { address } = await opened.pfioh(['--storeBase', sources()]);
      const pull = await opened.purl(['pull', `${address}:.`, here], { uid: STRANGER });
      expect(pull).toMatchObject({ code: 0, stdout: expect.stringContaining('2 files') });
      expect(readFileSync(join(here, 'sub/two'), 'utf8')).toBe('2');
    });

    it('takes what is pushed into it', async () => {
      const store = sharedFolder();
      const { address } = await opened.pfioh(['--storeBase', store], { uid: STRANGER });
      const push = await opened.purl(['push', sources(), `${address}:.`]);
      expect(push).toMatchObject({ code: 0, stdout: expect.stringContaining('2 files') });
      expect(readFileSync(join(store, 'sub/two'), 'utf8')).toBe('2');
    });

    it('takes a transfer that root has begun and given up: it begins anew', async () => {
      const here = sharedFolder();
      // Where anybody may rename it.
      chmodSync(here, 0o777);
      const id = 'b'.repeat(32);
      writeFileSync(join(here, `.pfioh-${id}.part`), 'begun', { mode: 0o600 });
      const module = join(import.meta.dirname, '../../dist/lib/transfer/partial.js');
      const open = `import(${JSON.stringify(module)})
        .then(({ openPartial }) => openPartial(${JSON.stringify(here)}, '${id}'))
        .then(({ bytes }) => console.log(bytes))`;
      const { stdout, stderr } = spawnSync(process.execPath, ['-e', open], {
        ...{ uid: STRANGER, encoding: 'utf8' },
      });
      expect([stdout, stderr]).toEqual(['0\n', '']);
    });

    it('takes a file', async () => {
      const here = sharedFolder();
      const { address } = await opened.pfioh(['--storeBase', sources()]);
      const pull = await opened.purl(['pull', `${address}:one`, here], { uid: STRANGER });
      expect(pull).toMatchObject({ code: 0 });
      expect(readFileSync(join(here, 'one'), 'utf8')).toBe('1');
    });
  });
});
