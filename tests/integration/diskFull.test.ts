import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { tempDir } from '../helpers/tempDir.ts';
import { eventually, Opened, transferMessage } from '../helpers/transfer.ts';

const opened = new Opened();
const DISK_MIB = 8;
const SIZE = 12 * 1024 * 1024;

function mount(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  const args = ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', folder];
  return spawnSync('mount', args, { stdio: 'ignore' }).status === 0;
}

const unmount = (folder: string) => spawnSync('umount', ['-l', folder], { stdio: 'ignore' });

function noMounts(): string | undefined {
  const folder = join(tempDir(), 'disk');
  if (!mount(folder)) return 'only root may mount the small disk that gets full';
  unmount(folder);
  return undefined;
}

describeWithEngine('a disk that gets full', noMounts, () => {
  let folder = '';
  let disk = '';

  beforeEach(() => {
    folder = opened.folder();
    disk = join(folder, 'disk');
    mount(disk);
    opened.onClose(() => void unmount(disk));
    mkdirSync(join(folder, 'big'));
    writeFileSync(join(folder, 'big/f'), randomBytes(SIZE));
    writeFileSync(join(disk, 'f'), 'old');
  });
  afterEach(() => opened.close());

  const form = (archive: string, unpack: boolean, encoding = 'none') => ({
    archive,
    unpack,
    encoding,
  });

  const cases = [
    ['a file', form('none', false)],
    ['a file in base64', form('none', false, 'base64')],
    ['an archive that is kept', form('zip', false)],
    ['an archive that is unpacked', form('zip', true)],
  ] as const;

  /** What is on the disk, once the guard of an earlier transfer has ended. */
  const untouched = async () => {
    await eventually('only the old file is left', () => readdirSync(disk).length === 1);
    expect(readFileSync(join(disk, 'f'), 'utf8')).toBe('old');
  };

  it.each(cases)(
    'refuses a push of %s, with the reason and nothing half-written',
    async (_, how) => {
      const { address } = await opened.pfioh(['--storeBase', disk]);
      const msg = transferMessage('pushPath', {
        local: join(folder, 'big/f'),
        remote: '.',
        ...how,
      });
      const { code, stdout } = await opened.purl([
        ...['--quiet', '--fail', '--http', address, '--msg', msg],
      ]);
      expect(code).toBe(8);
      expect(JSON.parse(stdout)).toMatchObject({
        stdout: { status: false, msg: expect.stringContaining('no space left') },
      });
      await untouched();
      // The next one, which fits, is taken.
      writeFileSync(join(folder, 'small'), 'fits');
      const next = transferMessage('pushPath', {
        ...{ local: join(folder, 'small'), remote: '.' },
        ...form('none', false),
      });
      expect(
        (await opened.purl(['--quiet', '--fail', '--http', address, '--msg', next])).code,
      ).toBe(0);
      expect(readFileSync(join(disk, 'small'), 'utf8')).toBe('fits');
    },
  );

  it('answers a plain client with status 507', async () => {
    const { address } = await opened.pfioh(['--storeBase', disk]);
    const body = new FormData();
    const transport = { compress: { encoding: 'none', archive: 'none', unpack: false } };
    const meta = { local: { path: 'f' }, remote: { path: '.' }, transport };
    body.set('d_msg', JSON.stringify({ action: 'pushPath', meta }));
    body.set('encoding', 'none');
    body.set('local', new Blob([readFileSync(join(folder, 'big/f'))]), 'f');
    const answer = await fetch(`http://${address}/`, { method: 'POST', body });
    expect(answer.status).toBe(507);
    expect(await answer.json()).toMatchObject({ status: false, error: { code: 'storage' } });
    await untouched();
  });

  it.each(cases)(
    'ends a pull of %s with its own status and nothing half-written',
    async (_, how) => {
      const { address } = await opened.pfioh(['--storeBase', join(folder, 'big')]);
      const msg = transferMessage('pullPath', { local: disk, remote: 'f', ...how });
      const { code, stdout, stderr } = await opened.purl([
        ...['--quiet', '--fail', '--http', address, '--msg', msg],
      ]);
      expect(code).toBe(23);
      expect(stderr).toContain('no space left');
      expect(JSON.parse(stdout)).toMatchObject({ stdout: { status: false } });
      await untouched();
    },
  );

  it('keeps what arrived for --resume and nothing else', async () => {
    const { address } = await opened.pfioh(['--storeBase', disk]);
    const msg = transferMessage('pushPath', {
      ...{ local: join(folder, 'big/f'), remote: '.' },
      ...form('none', false),
    });
    const { code, stdout } = await opened.purl([
      ...['--quiet', '--fail', '--resume', '--http', address, '--msg', msg],
    ]);
    expect(code).toBe(8);
    expect(stdout).toContain('no space left');
    expect(readdirSync(disk).filter((name) => !name.endsWith('.part'))).toEqual(['f']);
  });
});
