import { spawnSync } from 'node:child_process';
import { mkdirSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { planSending, startSending } from '../../../../lib/transfer/send.ts';
import { type TreeEntry, walkTree } from '../../../../lib/transfer/tree.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let outer = '';
let store = '';

beforeEach(() => {
  outer = realpathSync(tempDir());
  store = join(outer, 'store');
  mkdirSync(join(store, 'tree/d/sub'), { recursive: true });
  mkdirSync(join(outer, 'secrets/sub'), { recursive: true });
  for (const name of ['a', 'b', 'sub/c']) {
    writeFileSync(join(store, 'tree/d', name), 'mine');
    writeFileSync(join(outer, 'secrets', name), 'secret');
  }
  writeFileSync(join(outer, 'secrets/other'), 'secret');
});

/** Puts a link to the folder outside in the place of `path`. */
function replaceByLink(path: string, target = join(outer, 'secrets')): void {
  renameSync(path, join(outer, 'moved'));
  symlinkSync(target, path);
}

const walk = (path = join(store, 'tree')) => walkTree(path, { prefix: '', within: store });

describe('walkTree', () => {
  it('names all entries in order, with size and kind', async () => {
    const entries: TreeEntry[] = [];
    for await (const entry of walk()) entries.push(entry);
    expect(entries.map(({ name, kind, size }) => `${name} ${kind} ${size}`)).toEqual([
      'd folder 0',
      'd/a file 4',
      'd/b file 4',
      'd/sub folder 0',
      'd/sub/c file 4',
    ]);
  });

  it('leaves out what cannot be sent, where that is wanted, and says what', async () => {
    symlinkSync('/etc/passwd', join(store, 'tree/d/far'));
    spawnSync('mkfifo', [join(store, 'tree/d/pipe')]);
    writeFileSync(Buffer.from(`${join(store, 'tree/d')}/caf\xe9`, 'latin1'), '');
    writeFileSync(join(store, 'tree/d/.pfioh-notes.part'), '');
    const left = new Map<string, string>();
    const names: string[] = [];
    const options = { prefix: '', within: store };
    for await (const { name } of walkTree(join(store, 'tree'), {
      ...options,
      leftOut: ({ name, why }) => left.set(name, why.code),
    })) {
      names.push(name);
    }
    expect(names).toEqual(['d', 'd/a', 'd/b', 'd/sub', 'd/sub/c']);
    expect([...left].sort()).toEqual([
      ['d/.pfioh-notes.part', 'bad_request'],
      ['d/café', 'bad_request'],
      ['d/far', 'forbidden'],
      ['d/pipe', 'bad_request'],
    ]);
    // Without that it ends there, and nothing is sent that would pass for the whole.
    await expect(
      planSending(join(store, 'tree'), { archive: true, encoding: 'none', contentOnly: false }),
    ).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('refuses a link to a name that is not UTF-8: it would lead elsewhere on the other side', async () => {
    symlinkSync(Buffer.from('caf\xe9', 'latin1'), join(store, 'tree/d/l'));
    const options = { archive: true, encoding: 'none', contentOnly: false } as const;
    await expect(planSending(join(store, 'tree'), options)).rejects.toThrow(
      /tree\/d\/l" leads to a name that is not UTF-8: café$/,
    );
  });

  it('does not go into a folder that became a link', async () => {
    const steps = walk();
    expect((await steps.next()).value).toMatchObject({ name: 'd' });
    replaceByLink(join(store, 'tree/d'));
    await expect(steps.next()).rejects.toMatchObject({
      message: expect.stringContaining('cannot list'),
    });
  });

  it('stays in the folder that it has found when a link takes its name', async () => {
    const steps = walk();
    const names: string[] = [];
    for await (const { name, size } of steps) {
      if (name === 'd/a') replaceByLink(join(store, 'tree/d'));
      names.push(`${name} ${size}`);
    }
    // The secret ones are 6 bytes long, and one more.
    expect(names).toEqual(['d 0', 'd/a 4', 'd/b 4', 'd/sub 0', 'd/sub/c 4']);
  });

  it('starts at nothing that a link leads to outside of the store', async () => {
    replaceByLink(join(store, 'tree/d'));
    await expect(walk(join(store, 'tree/d/a')).next()).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect((await walk(store).next()).value).toMatchObject({ name: 'tree' });
  });
});

describe('what is sent of a tree', () => {
  const plan = (path: string, archive: boolean) =>
    planSending(path, { archive, encoding: 'none', contentOnly: false, within: store });

  it.each([
    ['a small file', 10],
    ['a large file', 200_000],
  ])('is not what a link leads to that took the place of %s', async (_size, bytes) => {
    const file = join(store, 'tree/d/a');
    writeFileSync(file, 'x'.repeat(bytes));
    for (const archive of [true, false]) {
      const planned = await plan(archive ? join(store, 'tree') : file, archive);
      replaceByLink(file, join(outer, 'secrets/a'));
      const sent = async () => buffer(startSending(planned).stream());
      await expect(sent()).rejects.toMatchObject({ code: 'conflict' });
      renameSync(join(outer, 'moved'), file);
    }
  });

  it('is not what lies below a folder that became a link', async () => {
    const planned = await plan(join(store, 'tree'), true);
    replaceByLink(join(store, 'tree/d'));
    await expect(buffer(startSending(planned).stream())).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('is in an archive what a file holds by then, also when another one has taken its place', async () => {
    const file = join(store, 'tree/d/a');
    const planned = await plan(join(store, 'tree'), true);
    writeFileSync(`${file}.new`, 'anew');
    renameSync(`${file}.new`, file);
    expect(String(await buffer(startSending(planned).stream()))).toContain('anew');
  });

  it('is no file that has taken the place of the one whose size and time were told', async () => {
    const file = join(store, 'tree/d/a');
    const planned = await plan(file, false);
    writeFileSync(`${file}.new`, 'anew');
    renameSync(`${file}.new`, file);
    await expect(buffer(startSending(planned).stream())).rejects.toThrow('was replaced');
  });

  it('is the content of the file that a path leads to', async () => {
    symlinkSync('d/a', join(store, 'tree/link'));
    const planned = await plan(join(store, 'tree/link'), false);
    expect(String(await buffer(startSending(planned).stream()))).toBe('mine');
  });
});
