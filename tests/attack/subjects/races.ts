import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { craftArchive } from '../../helpers/archive.ts';
import { request } from '../../helpers/http.ts';
import { asBlock, craftPack } from '../../helpers/packs.ts';
import type { Attack, Subject } from '../attack.ts';
import { type FileServer, withPfioh } from '../victims.ts';

/** So often each is tried while folders and links change places all the time. */
const ROUNDS = 60;
const FIXTURE = join(import.meta.dirname, '../../fixtures/exchange.mjs');

interface Exchanged {
  readonly pairs: readonly (readonly [string, string])[];
  readonly in?: string;
  readonly name?: string;
  readonly link?: string;
}

/** Does something while a job lets folders and links change places. */
async function whileExchanged<T>(what: Exchanged, act: () => Promise<T>): Promise<T> {
  const child = spawn(process.execPath, [FIXTURE, JSON.stringify(what)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    return await act();
  } finally {
    child.stdin.end();
    await once(child, 'exit');
  }
}

/** A store whose folder `shared` is a job's too: `d` and `l` change places; one is a folder, one a link that leads out. */
interface Ground extends FileServer {
  readonly outside: string;
  readonly pair: readonly [string, string];
  /** What the folder of the two is reached by, whatever its name is just now: a job holds it open. */
  readonly real: string;
}

function withGround<T>(attack: (ground: Ground) => Promise<T>, flags: readonly string[] = []) {
  return withPfioh(flags, async (server) => {
    const outside = join(server.outer, 'outside');
    const shared = join(server.store, 'shared');
    mkdirSync(join(outside, 'sub'), { recursive: true });
    mkdirSync(join(shared, 'd'), { recursive: true });
    for (const place of [outside, join(outside, 'sub')]) {
      for (let i = 0; i < 5; i += 1) writeFileSync(join(place, `canary-${i}`), 'canary');
    }
    const before = namesBelow(outside);
    symlinkSync(outside, join(shared, 'l'));
    const fd = openSync(join(shared, 'd'), 'r');
    const pair = [join(shared, 'd'), join(shared, 'l')] as const;
    try {
      const result = await attack({
        ...server,
        outside,
        pair,
        real: `/proc/${process.pid}/fd/${fd}`,
      });
      expect(namesBelow(outside)).toEqual(before);
      return result;
    } finally {
      closeSync(fd);
    }
  });
}

const namesBelow = (folder: string) => readdirSync(folder, { recursive: true }).sort();

const ask = (port: number, action: string, meta: object) =>
  request(port, 'POST', '/', { body: { action, meta } });

/** Pushes an archive. */
function push(
  port: number,
  meta: object,
  names: readonly string[],
  archive: 'zip' | 'pack' = 'zip',
): Promise<Response> {
  const transport = { compress: { encoding: 'none', archive, unpack: true } };
  const body = new FormData();
  const message = { action: 'pushPath', meta: { local: { path: 'x' }, transport, ...meta } };
  body.set('d_msg', JSON.stringify(message));
  body.set('encoding', 'none');
  const content =
    archive === 'zip'
      ? craftArchive(names.map((name) => ({ name, content: 'new' })))
      : asBlock(craftPack(names.map((name) => ({ kind: 'file', name, content: 'new' }))));
  body.set('local', new Blob([content]), 'x.zip');
  return fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
}

const copy = (port: number, from: string, to: string) =>
  ask(port, 'pushPath', {
    local: { path: from },
    remote: { path: to },
    transport: { mechanism: 'copy', copy: { symlink: false } },
  });

const missing = () => (process.platform === 'linux' ? undefined : 'only Linux exchanges names');

const ATTACKS: readonly Attack[] = [
  {
    tried: 'rmtree of a folder, while it and those in it become links that lead out',
    missing,
    observe: () =>
      withGround(async ({ port, pair, real, outside }) => {
        const inner = [`${real}/sub/in`, `${real}/sub/l`] as const;
        await whileExchanged({ pairs: [pair, inner] }, async () => {
          for (let round = 0; round < ROUNDS; round += 1) {
            const made = `${real}/made-${round}`;
            mkdirSync(`${made}/in/deep`, { recursive: true });
            for (let i = 0; i < 20; i += 1) writeFileSync(`${made}/in/deep/${i}`, '');
            symlinkSync(join(outside, 'sub'), `${made}/l`);
            // What is left of the last one stays: a removal here would be led out itself.
            if (existsSync(`${real}/sub`)) renameSync(`${real}/sub`, `${real}/left-${round}`);
            renameSync(made, `${real}/sub`);
            await ask(port, 'rmtree', { path: 'shared/d/sub' });
          }
        });
        return 'nothing outside is removed';
      }),
  },
  {
    tried: 'ls of a folder that becomes a link',
    missing,
    observe: () =>
      withGround(async ({ port, pair }) => {
        await whileExchanged({ pairs: [pair] }, async () => {
          for (let round = 0; round < 5 * ROUNDS; round += 1) {
            const { text } = await ask(port, 'ls', { path: 'shared/d' });
            expect(text).not.toContain('canary');
          }
        });
        return 'nothing outside is told';
      }),
  },
  {
    tried: 'a copy of a folder in which folders become links',
    missing,
    observe: () =>
      withGround(async ({ port, pair, real, outside, store }) => {
        for (let i = 0; i < 20; i += 1) writeFileSync(`${real}/f${i}`, 'mine');
        mkdirSync(`${real}/sub`);
        writeFileSync(`${real}/sub/mine`, 'mine');
        mkdirSync(join(store, 'to'));
        const link = join(store, 'shared/link');
        symlinkSync(join(outside, 'sub'), link);
        await whileExchanged({ pairs: [pair, [`${real}/sub`, link]] }, async () => {
          for (let round = 0; round < ROUNDS; round += 1) {
            await copy(port, 'shared/d', 'to');
            for (const name of namesBelow(join(store, 'to'))) {
              expect(String(name)).not.toContain('canary');
            }
            rmSync(join(store, 'to/d'), { recursive: true, force: true });
          }
        });
        return 'nothing outside is copied';
      }),
  },
  {
    tried: 'a copy, or a link, into a folder that becomes a link',
    missing,
    observe: () =>
      withGround(async ({ port, pair, store, real }) => {
        mkdirSync(join(store, 'from'));
        writeFileSync(join(store, 'from/f'), 'new');
        await whileExchanged({ pairs: [pair] }, async () => {
          for (let round = 0; round < ROUNDS; round += 1) {
            await copy(port, 'from', 'shared/d');
            const transport = { mechanism: 'copy', copy: { symlink: true } };
            const place = { local: { path: 'from/f' }, remote: { path: 'shared/d' } };
            await ask(port, 'pushPath', { ...place, transport });
            rmSync(`${real}/from`, { recursive: true, force: true });
            rmSync(`${real}/f`, { force: true });
          }
        });
        return 'nothing arrives outside';
      }),
  },
  {
    tried:
      'folders that pfioh makes for a push, a check and a plugin, below one that becomes a link',
    missing,
    observe: () =>
      withGround(
        async ({ port, pair }) => {
          await whileExchanged({ pairs: [pair] }, async () => {
            for (let round = 0; round < ROUNDS; round += 1) {
              await push(port, { remote: { path: `shared/d/new-${round}/a` } }, ['f']);
              const asked = {
                remote: { path: `shared/d/asked-${round}/a` },
                transport: { checkRemote: true },
              };
              const query = new URLSearchParams({
                action: 'pushPath',
                meta: JSON.stringify(asked),
              });
              await request(port, 'GET', `/?${query}`);
              const plugin = { remote: { path: 'shared/d' }, specialHandling: { op: 'plugin' } };
              await push(port, plugin, ['f']);
            }
          });
          return 'nothing is made outside';
        },
        ['--createDirsAsNeeded'],
      ),
  },
  {
    tried:
      'an archive or a pack that is unpacked while folders of it, and those of its place, become links',
    missing,
    observe: () =>
      withGround(async ({ port, pair, real, store, outside }) => {
        mkdirSync(`${real}/a`);
        const inner = join(store, 'shared/inner');
        const staged = join(store, 'shared/staged');
        for (const link of [inner, staged]) symlinkSync(join(outside, 'sub'), link);
        const names = Array.from({ length: 60 }, (_, i) => `a/f${i}`);
        const exchanged = {
          in: real,
          name: 'a',
          link: staged,
        };
        await whileExchanged({ pairs: [pair, [`${real}/a`, inner]], ...exchanged }, async () => {
          for (let round = 0; round < ROUNDS; round += 1) {
            await push(port, { remote: { path: 'shared/d' } }, names, round % 2 ? 'pack' : 'zip');
          }
        });
        expect(readFileSync(join(outside, 'sub/canary-0'), 'utf8')).toBe('canary');
        return 'nothing is written or moved outside';
      }),
  },
];

export const races: Subject = { title: 'links put in place meanwhile', attacks: ATTACKS };
