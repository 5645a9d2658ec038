import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ContainerPman } from '../../../../helpers/containerPman.ts';
import { eventually } from '../../../../helpers/eventually.ts';
import {
  MEMORY_IMAGE,
  MemoryEngine,
  MemoryWorld,
  readMemoryShown,
} from '../../../../helpers/memoryEngine.ts';

let world: MemoryWorld;
let pman: ContainerPman;
beforeEach(() => {
  world = new MemoryWorld();
  pman = new ContainerPman(async () => new MemoryEngine(world), readMemoryShown, MEMORY_IMAGE);
});
afterEach(async () => {
  await pman.close();
  await world.close();
});

const stored = () => readdirSync(join(pman.folder, 'work/containers'));

describe('a container job that is sent', () => {
  it('is on the disk when it is accepted', async () => {
    const root = await pman.submit('sleep 600');
    expect(stored()).toEqual([`${root}.json`]);
    expect(pman.database.has(root)).toBe(true);
  });

  it.each([
    ['no answer of the engine', () => ({ isAway: true }), {}, 'unavailable'],
    ['a name that cannot be', () => ({}), { name: 'a/b' }, 'bad_request'],
    ['devices that the engine lacks', () => ({}), { meta: { gpu_limit: 1 } }, 'bad_request'],
    ['a limit that only jobs of the host have', () => ({}), { limits: { nice: 5 } }, 'bad_request'],
    ['a cpu_limit that means nothing', () => ({}), { meta: { cpu_limit: 'x' } }, 'bad_request'],
  ])('leaves nothing behind when it is refused for %s', async (_, trouble, wish, code) => {
    Object.assign(world, trouble());
    await expect(pman.submit('true', wish)).rejects.toMatchObject({ code });
    expect([stored(), [...pman.database.roots()], world.works.size]).toEqual([[], [], 0]);
  });

  it('leaves nothing behind when the disk does not take it, and frees its name', async () => {
    const folder = join(pman.folder, 'work/containers');
    rmSync(folder, { recursive: true });
    await expect(pman.submit('true', { name: 'n' })).rejects.toMatchObject({ code: 'storage' });
    expect([...pman.database.roots()]).toEqual([]);
    mkdirSync(folder);
    await pman.database.save();
    expect(await pman.end(await pman.submit('true', { name: 'n' }))).toMatchObject({ exitCode: 0 });
  });

  it('is refused when one of its name is being accepted', async () => {
    const both = [pman.submit('true', { name: 'n' }), pman.submit('true', { name: 'n' })];
    const [first, second] = await Promise.allSettled(both);
    expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected']);
    expect(second).toMatchObject({ reason: { code: 'conflict' } });
  });

  it('belongs to the trace of its request, also when it is sent again in another one', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const trace = { traceparent, tracestate: 'a=1' };
    const cmd = "sh -c 'echo $TRACEPARENT $TRACESTATE'";
    const wish = { name: 'n', meta: { key: 'k' }, target: { env: { TRACESTATE: 'mine=2' } } };
    const root = await pman.submit(cmd, { ...wish, trace });
    expect(pman.database.tree(root)?.leaves.get('traceparent')).toBe(traceparent);
    expect((await pman.end(root)).output).toContain(`${traceparent} mine=2`);
    expect(await pman.submit(cmd, wish)).toBe(root);
  });

  it('is the job of the same key, also while that one is being accepted', async () => {
    const wish = { name: 'n', meta: { key: 'k' } };
    const roots = await Promise.all([pman.submit('true', wish), pman.submit('true', wish)]);
    expect(roots[0]).toBe(roots[1]);
    await pman.end(roots[0] ?? '');
    expect(await pman.submit('true', wish)).toBe(roots[0]);
    expect([...world.starts.values()]).toEqual([1]);
    const other = pman.submit('false', wish);
    await expect(other).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is listed in the order of its acceptance, however long the engine has taken to check it', async () => {
    let speak: () => void = () => undefined;
    world.silence = new Promise((resolve) => {
      speak = resolve;
    });
    const slow = pman.submit('true');
    await eventually(() => world.calls.includes('check'));
    world.silence = undefined;
    const quick = await pman.submit('true');
    speak();
    expect([...pman.database.roots()]).toEqual([quick]);
    expect([...pman.database.roots(), await slow].sort()).toEqual([quick, await slow]);
  });

  it('waits for a job of its name that has just ended to be removed', async () => {
    const first = await pman.submit('true', { name: 'n' });
    await pman.end(first);
    const second = await pman.submit('echo second', { name: 'n' });
    expect(await pman.end(second)).toMatchObject({ output: 'second\n' });
  });
});
