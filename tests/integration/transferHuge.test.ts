import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Opened, transferMessage, treeOf } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

describe('purl and pfioh', () => {
  it('pass a file beyond 4 GiB in an archive with little memory', async () => {
    const folder = opened.folder();
    mkdirSync(join(folder, 'src'));
    mkdirSync(join(folder, 'store'));
    const size = 4 * 1024 ** 3 + 12_345;
    const file = join(folder, 'src/huge');
    writeFileSync(file, '');
    truncateSync(file, size);
    const { address, child } = await opened.pfioh(['--storeBase', join(folder, 'store')]);
    const msg = transferMessage('pushPath', { local: join(folder, 'src'), remote: '.' });
    const pushed = await opened.purl(['--quiet', '--fail', '--http', address, '--msg', msg]);
    expect(pushed).toMatchObject({ code: 0, stderr: '' });
    expect(treeOf(join(folder, 'store/src')).huge).toBe(treeOf(join(folder, 'src')).huge);
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    expect(Number(peak)).toBeLessThan(150 * 1024);
  }, 240_000);
});
