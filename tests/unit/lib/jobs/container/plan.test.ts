import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planContainer, sharedFolders } from '../../../../../lib/jobs/container/plan.ts';
import { splitIntoWords } from '../../../../../lib/jobs/container/words.ts';
import type { JsonObject } from '../../../../../lib/wire/json.ts';

const plan = (container: JsonObject, meta: JsonObject = {}, storeBase?: string) => {
  const rawMeta = { cmd: 'a "b"; c', auid: 'u', jid: 'j1', container, ...meta };
  return planContainer(
    { rawMeta, container, cmd: 'a "b"; c', jid: 'j1' },
    sharedFolders(storeBase),
  );
};
const target = { image: 'busybox' };

describe('planContainer', () => {
  it('names what is run after the job unless it is told a name, and says so in the record', () => {
    expect(plan({ target })).toMatchObject({
      name: 'j1',
      container: { target, manager: { env: { serviceName: 'j1' } } },
      meta: { cmd: 'echo "a "b"; c"' },
    });
    expect(plan({ target, manager: { env: { serviceName: 's' } } }).name).toBe('s');
  });

  it.each(['env', 'labels'] as const)('takes %s of any name, and no value but text', (member) => {
    const named = (value: unknown) => ({
      target: { ...target, [member]: Object.fromEntries([['__proto__', value]]) } as JsonObject,
    });
    expect(Object.entries(plan(named('x')).options[member] ?? {})).toEqual([['__proto__', 'x']]);
    expect(() => plan(named(1))).toThrow(
      `"meta.container.target.${member}.__proto__": is not a string`,
    );
    expect(() => plan({ target: { ...target, [member]: [] } })).toThrow(
      `"meta.container.target.${member}": is not an object of strings`,
    );
  });

  it('gives the line to a shell of the image when asked, whatever is in it; else it is split into words', () => {
    const container = { target };
    expect(plan(container).cmd).toBe('a "b"; c');
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter((line) => !line.includes('\0')),
        (cmd) => {
          const rawMeta = { cmd, container, shell: true };
          const { cmd: line } = planContainer(
            { rawMeta, container, cmd, jid: 'j' },
            sharedFolders(undefined),
          );
          expect(splitIntoWords(line)).toEqual(['/bin/sh', '-c', cmd]);
        },
      ),
    );
  });

  it('gives a terminal to who asks for one', () => {
    expect(plan({ target }).options.tty).toBeUndefined();
    expect(plan({ target, tty: true }).options.tty).toBe(true);
    expect(() => plan({ target, tty: 'yes' })).toThrow('"meta.container.tty"');
  });

  it('waits for the shared folder by its own name and gives the engine the one of STOREBASE', () => {
    const container = { target, manager: { env: { shareDir: '/here/key-1//' } } };
    expect(plan(container)).toMatchObject({
      awaitedFolder: '/here/key-1',
      shareDir: '/here/key-1',
    });
    expect(plan(container, {}, '/data/store')).toMatchObject({
      awaitedFolder: '/here/key-1',
      shareDir: '/data/store/key-1',
      container: { manager: { env: { shareDir: '/here/key-1//' } } },
    });
  });

  it.each([
    ['/here/key-1/..', '/store/here'],
    ['/here/key-1/../..', undefined],
    ['/here//./key-1/.', '/store/key-1'],
    ['/..', undefined],
    ['/here/../..//', undefined],
    ['here', undefined],
    ['..', undefined],
    ['/here/..hidden', '/store/..hidden'],
  ])('keeps the shared folder %p below STOREBASE, or refuses it', (shareDir, folder) => {
    const container = { target, manager: { env: { shareDir } } };
    if (folder !== undefined) expect(plan(container, {}, '/store').shareDir).toBe(folder);
    else expect(() => plan(container, {}, '/store')).toThrow('meta.container.manager.env.shareDir');
  });

  it('never gives the engine a folder that is not directly below STOREBASE', () => {
    const piece = fc.oneof(fc.constantFrom('..', '.', '', 'key-1', '..x'), fc.string());
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        let shareDir: string | undefined;
        try {
          const env = { shareDir: `/${pieces.join('/')}` };
          ({ shareDir } = plan({ target, manager: { env } }, {}, '/store'));
        } catch {
          return;
        }
        if (shareDir === undefined) return;
        expect(shareDir).toMatch(/^\/store\/[^/]+$/s);
        expect(['/store/..', '/store/.']).not.toContain(shareDir);
      }),
    );
  });

  it.each([
    ['/data/../etc', '/etc'],
    ['/data//x/./', '/data/x'],
    ['/', '/'],
    ['volume-1', 'volume-1'],
  ])('mounts %p by its shortest path', (source, path) => {
    const mounts = [{ source, target: '/in' }];
    expect(plan({ target: { ...target, mounts } }).options.mounts).toEqual([
      { source: path, target: '/in', readOnly: true },
    ]);
  });

  it.each(['..', '.', '../x', 'a b', '-v', 'x/y'])('mounts nothing from %p', (source) => {
    const mounts = [{ source, target: '/in' }];
    expect(() => plan({ target: { ...target, mounts } })).toThrow('meta.container.target.mounts');
  });

  it.each([
    ['500m', 0.5],
    ['1000', 1],
    ['2', 2],
    [0.25, 0.25],
    ['0', undefined],
    ['', undefined],
  ])('reads a cpu_limit of %p', (cpu_limit, cpus) => {
    expect(plan({ target }, { cpu_limit }).options.limits?.cpus).toBe(cpus);
  });

  it.each([
    ['200', 200 * 2 ** 20],
    ['200Mi', 200 * 2 ** 20],
    ['1G', 1e9],
    [64_000_000, 64_000_000],
    ['0', undefined],
  ])('reads a memory_limit of %p', (memory_limit, bytes) => {
    expect(plan({ target }, { memory_limit }).options.limits?.memoryBytes).toBe(bytes);
  });

  it('takes one worker and no devices for nothing said', () => {
    const said = { number_of_workers: '1', gpu_limit: '0' };
    expect(plan({ target }, said).options).toEqual({});
    expect(plan({ target }, { number_of_workers: 3 }).options.workers).toBe(3);
  });

  it('drops what only the server writes into the container node', () => {
    const container = { target, currentState: 'finishedSuccessfully', state: {}, logs: 'x' };
    expect(Object.keys(plan(container).container)).toEqual(['target', 'manager']);
  });

  it.each([
    [{}, {}, /container\.target/],
    [{ target: { image: '' } }, {}, /image.*empty/],
    [{ target: { image: 'a', mounts: [{ source: 'x', target: 'y' }] } }, {}, /mounts\.0\.target/],
    [{ target }, { number_of_workers: 0 }, /between 1 and 1000/],
    [{ target }, { gpu_limit: 'all' }, /gpu_limit/],
  ])('refuses %j with %j', (container, meta, naming) => {
    expect(() => plan(container as JsonObject, meta)).toThrow(naming);
  });
});
