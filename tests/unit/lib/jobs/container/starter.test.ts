import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ContainerPman } from '../../../../helpers/containerPman.ts';
import {
  MEMORY_IMAGE,
  MemoryEngine,
  MemoryWorld,
  readMemoryShown,
} from '../../../../helpers/memoryEngine.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

describe('a job that shares a folder below STOREBASE', () => {
  let world: MemoryWorld;
  let pman: ContainerPman;
  let store: string;
  beforeEach(() => {
    world = new MemoryWorld();
    const open = async () => new MemoryEngine(world);
    store = tempDir();
    mkdirSync(join(store, 'key-1'));
    pman = new ContainerPman(open, readMemoryShown, MEMORY_IMAGE, {
      storeBase: store,
    });
  });
  afterEach(async () => {
    await pman.close();
    await world.close();
  });

  it('is not started when the folder is a link: the engine would follow it', async () => {
    const top = tempDir();
    symlinkSync('/etc', join(top, 'key-1'));
    const root = await pman.submit('true', { shareDir: join(top, 'key-1') });
    expect(await pman.end(root)).toMatchObject({
      status: 'finishedWithError',
      cause: expect.stringContaining('is a symbolic link, which is not followed'),
    });
    expect(world.starts.size).toBe(0);
  });

  it('is started when it is a folder', async () => {
    const top = tempDir();
    mkdirSync(join(top, 'key-1'));
    const root = await pman.submit('sh -c "true"', { shareDir: join(top, 'key-1') });
    expect(await pman.end(root)).toMatchObject({ status: 'finishedSuccessfully' });
  });
});
