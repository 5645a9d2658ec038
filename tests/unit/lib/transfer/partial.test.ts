import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { startTicks } from '../../../../lib/host/processes.ts';
import { openPartial, partialBytes, partialPath } from '../../../../lib/transfer/partial.ts';
import { transferId } from '../../../../lib/transfer/partialNames.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const ID = '0123456789abcdef'.repeat(2);
const bytes = (text: string) => Readable.from([Buffer.from(text)]);

describe('what is kept of an interrupted transfer', () => {
  it('is gone on with from where it stopped, or from an earlier byte', async () => {
    const folder = tempDir();
    expect(partialBytes(folder, ID)).toBe(0);
    const first = await openPartial(folder, ID);
    await first.append(bytes('abcdef'), 0);
    await first.close({ done: false });
    expect(partialBytes(folder, ID)).toBe(6);
    const second = await openPartial(folder, ID);
    expect(second.bytes).toBe(6);
    let counted = 0;
    await second.append(bytes('X'), 2, (more) => {
      counted += more;
    });
    expect(counted).toBe(1);
    expect(String(await buffer(second.read()))).toBe('abX');
    await second.close({ done: true });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not gone on with behind its end', async () => {
    const partial = await openPartial(tempDir(), ID);
    await partial.append(bytes('abc'), 0);
    await expect(partial.append(bytes('x'), 4)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('only'),
    });
    await partial.close({ done: true });
  });

  it('stays when the sender breaks off', async () => {
    const folder = tempDir();
    const partial = await openPartial(folder, ID);
    const source = Readable.from(
      (async function* () {
        yield Buffer.from('abc');
        await Promise.resolve();
        throw new Error('broke off');
      })(),
    );
    await expect(partial.append(source, 0)).rejects.toThrow('broke off');
    await partial.close({ done: false });
    expect(readFileSync(partialPath(folder, ID), 'utf8')).toBe('abc');
    expect(statSync(partialPath(folder, ID)).mode & 0o777).toBe(0o600);
  });

  it('goes to whoever comes back: the try that still waits for its sender ends', async () => {
    const folder = tempDir();
    const first = await openPartial(folder, ID);
    const silent = new PassThrough();
    const waiting = first.append(silent, 0);
    const ended = expect(waiting).rejects.toMatchObject({
      code: 'conflict',
      message: 'the same transfer began anew',
    });
    const closed = ended.then(() => first.close({ done: false }));
    const second = await openPartial(folder, ID);
    await closed;
    await second.append(bytes('new'), 0);
    expect(String(await buffer(second.read()))).toBe('new');
    await second.close({ done: true });
  });

  it('stays with the process that works on it: another one begins anew, and takes what a dead one has left', async () => {
    const folder = tempDir();
    const of = (pid: number, ticks = startTicks(pid) ?? '') =>
      join(folder, `.pfioh-${ID}-${pid}-${ticks}.part`);
    // The process that runs the tests, and one that had its number before.
    writeFileSync(of(process.ppid), 'theirs, and longer');
    writeFileSync(of(process.ppid, '1'), 'left');
    expect(partialBytes(folder, ID)).toBe(4);
    const first = await openPartial(folder, ID);
    expect(first.bytes).toBe(4);
    expect(partialBytes(folder, ID)).toBe(4);
    await first.close({ done: true });
    const second = await openPartial(folder, ID);
    expect(second.bytes).toBe(0);
    await second.append(bytes('own'), 0);
    await second.close({ done: false });
    expect(readFileSync(of(process.ppid), 'utf8')).toBe('theirs, and longer');
    expect(readFileSync(partialPath(folder, ID), 'utf8')).toBe('own');
  });

  it('stays the longer one when two that have the same one break off', async () => {
    const folder = tempDir();
    const partial = await openPartial(folder, ID);
    await partial.append(bytes('short'), 0);
    writeFileSync(partialPath(folder, ID), 'longer');
    await partial.close({ done: false });
    expect(readdirSync(folder)).toEqual([`.pfioh-${ID}.part`]);
    expect(readFileSync(partialPath(folder, ID), 'utf8')).toBe('longer');
  });

  it('is removed with what earlier tries have left once the transfer ends, whatever content those were of', async () => {
    const folder = tempDir();
    const ids = ['old', 'older', 'busy'].map((tag) => transferId(['a'], [tag]));
    const [old = '', older = '', busyOne = ''] = ids;
    const of = (id: string, pid: number, ticks: string) =>
      join(folder, `.pfioh-${id}-${pid}-${ticks}.part`);
    const another = partialPath(folder, transferId(['b'], ['old']));
    const taken = of(old, process.ppid, startTicks(process.ppid) ?? '');
    for (const path of [partialPath(folder, old), of(older, process.ppid, '1'), another, taken])
      writeFileSync(path, 'x');
    const other = await openPartial(folder, busyOne);
    const done = await openPartial(folder, transferId(['a'], ['new']));
    await done.close({ done: true });
    expect(
      readdirSync(folder)
        .map((name) => join(folder, name))
        .sort(),
    ).toEqual([other.path, another, taken].sort());
    await other.close({ done: true });
  });

  it('is removed when nobody came back for it within a week', async () => {
    const folder = tempDir();
    const [old, young] = ['a', 'b'].map((letter) => partialPath(folder, letter.repeat(32)));
    const day = 24 * 3600;
    for (const [path, days] of [
      [old, 8],
      [young, 6],
    ] as const) {
      writeFileSync(path ?? '', 'x');
      const time = Date.now() / 1000 - days * day;
      utimesSync(path ?? '', time, time);
    }
    writeFileSync(join(folder, 'mine'), '');
    utimesSync(join(folder, 'mine'), 0, 0);
    await (await openPartial(folder, ID)).close({ done: true });
    expect([old, young, join(folder, 'mine')].map((path) => existsSync(path ?? ''))).toEqual([
      false,
      true,
      true,
    ]);
  });
});
