import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { control } from '../../../../lib/pfioh/control.ts';
import { Places } from '../../../../lib/pfioh/places.ts';
import { walkTree } from '../../../../lib/transfer/tree.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const FILES = 5000;

/** A store with a folder of many files. */
function manyFiles(): string {
  const store = tempDir();
  mkdirSync(join(store, 'many'));
  for (let i = 0; i < FILES; i += 1) writeFileSync(join(store, 'many', `f${i}`), '');
  return store;
}

/** How many turns of the event loop others had meanwhile. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

describe('a folder of many files', () => {
  it('is listed with turns for others, and in whole', async () => {
    const store = manyFiles();
    let answer: Readonly<Record<string, unknown>> = {};
    const turns = await turnsDuring(async () => {
      const message = { action: 'ls', meta: { path: 'many' } };
      answer = await control(message, {
        places: new Places(store),
        userAgent: '',
        signal: new AbortController().signal,
      });
    });
    expect(Object.keys(Object(answer.d_ls))).toHaveLength(FILES);
    // Each file takes some microseconds, and a slice has five milliseconds.
    expect(turns).toBeGreaterThan(3);
  });

  it('is walked with turns for others, and in whole', async () => {
    const store = manyFiles();
    let seen = 0;
    const turns = await turnsDuring(async () => {
      for await (const _ of walkTree(join(store, 'many'), { prefix: '' })) seen += 1;
    });
    expect(seen).toBe(FILES);
    expect(turns).toBeGreaterThan(3);
  });
});
