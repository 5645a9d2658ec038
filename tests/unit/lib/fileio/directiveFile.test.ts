import * as fs from 'node:fs';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PmanError } from '../../../../lib/errors.ts';
import { type Logger, silentLogger } from '../../../../lib/log.ts';
import type { Command } from '../../../../lib/wire/request.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { within } from '../../../helpers/patience.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

/** How often each file was looked for. */
const looks = new Map<unknown, number>();
jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  openSync: (...args: Parameters<typeof fs.openSync>) => {
    looks.set(args[0], (looks.get(args[0]) ?? 0) + 1);
    return fs.openSync(...args);
  },
}));
const { watchDirectiveFile } = await import('../../../../lib/fileio/directiveFile.ts');

let top = '';
let file = '';
let obeyed: Command[] = [];
let warnings: string[] = [];
let refuse: Error | undefined;
let watch: { close(): Promise<void> };

/** A logger that keeps what an operator would read. */
function listeningLogger(): Logger {
  const log = silentLogger();
  const keep = (
    _message: unknown,
    fields?: { error?: string; reason?: string; folder?: string },
  ) => {
    warnings.push(fields?.error ?? fields?.reason ?? fields?.folder ?? '');
    return log;
  };
  return Object.assign(Object.create(log), { warn: keep, error: keep }) as Logger;
}

const QUIT = { action: 'quit', meta: { saveDB: true } };
const MEANT = { action: 'quit', rawMeta: { saveDB: true }, threaded: false };

/** Makes a file as old as one that nobody writes to any more. */
function settle(path: string): void {
  const then = Date.now() / 1000 - 60;
  utimesSync(path, then, then);
}

/** Waits until the file has been looked at twice more as it is now: whatever is done about it has been done. */
async function lookedAtAgain(): Promise<void> {
  const before = looks.get(file) ?? 0;
  await eventually(() => (looks.get(file) ?? 0) >= before + 2, { message: 'it to be looked at' });
}

/** Waits until a later directive was obeyed: what came before it was looked at. */
async function afterAnother(): Promise<void> {
  const count = obeyed.length;
  rmSync(file, { force: true, recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify({ action: 'hello', meta: {} }));
  renameSync(`${file}.new`, file);
  await eventually(() => obeyed.length > count, { message: 'the next directive to be obeyed' });
}

beforeEach(() => {
  top = tempDir();
  file = join(top, 'd_msg.json');
  obeyed = [];
  warnings = [];
  refuse = undefined;
  watch = startWatch('/db');
});

function startWatch(owner: string): { close(): Promise<void> } {
  return watchDirectiveFile({
    file,
    owner,
    log: listeningLogger(),
    obey: async (command) => {
      obeyed.push(command);
      if (refuse !== undefined) throw refuse;
    },
  });
}

/** Starts anew after a crash that left a file which was taken and not yet removed. */
async function crashWhileObeying(directive: object): Promise<void> {
  refuse = new Error('crash');
  writeFileSync(file, JSON.stringify(directive));
  await eventually(() => readdirSync(top).some((name) => name.includes('rejected')));
  await watch.close();
  refuse = undefined;
  const [rejected = ''] = readdirSync(top);
  renameSync(join(top, rejected), join(top, takenName));
}

/** As one of the owner /db is called. */
const takenName = 'd_msg.json.taken-b084f664-6b0c7b1e-5f4c-4d1a-9d1a-0c7d8b1f2a3b';
const RUN = { action: 'run', meta: { cmd: 'true', auid: 'me', jid: '1', threaded: true } };

afterEach(() => watch.close());

describe('watchDirectiveFile', () => {
  it('obeys a directive once within a second, and removes it', async () => {
    const start = performance.now();
    writeFileSync(file, JSON.stringify(QUIT, null, 4));
    await eventually(() => obeyed.length > 0);
    expect(performance.now() - start).toBeLessThan(within(1000));
    await afterAnother();
    expect(obeyed[0]).toEqual(MEANT);
    expect(obeyed).toHaveLength(2);
    await eventually(() => readdirSync(top).length === 0, { message: 'the file to be removed' });
  });

  it('says that its folder is missing, and obeys what comes when that is made', async () => {
    await watch.close();
    const folder = join(top, 'later');
    file = join(folder, 'd_msg.json');
    watch = startWatch('/db');
    expect(warnings).toEqual([folder]);
    mkdirSync(folder);
    writeFileSync(file, JSON.stringify(QUIT));
    await eventually(() => obeyed.length > 0, { message: 'the directive to be obeyed' });
  });

  it('waits for a half-written one', async () => {
    const text = JSON.stringify(QUIT);
    writeFileSync(file, text.slice(0, 10));
    await lookedAtAgain();
    expect(readFileSync(file, 'utf8')).toBe(text.slice(0, 10));
    writeFileSync(file, text);
    await eventually(() => obeyed.length > 0);
    expect(obeyed).toEqual([MEANT]);
  });

  it.each(['garbage', '', '[]', '{"payload": {"action": "quit", "meta": {}}}', '{"action": "x"}'])(
    'moves %j aside once nobody writes to it any more',
    async (content) => {
      writeFileSync(`${file}.new`, content);
      settle(`${file}.new`);
      renameSync(`${file}.new`, file);
      await eventually(() => !existsSync(file), { message: 'the file to be moved aside' });
      const [aside = ''] = readdirSync(top);
      expect(aside).toMatch(/^d_msg\.json\.rejected-\d+$/);
      expect(readFileSync(join(top, aside), 'utf8')).toBe(content);
      expect(warnings).toHaveLength(1);
      await afterAnother();
      expect(obeyed.map(({ action }) => action)).toEqual(['hello']);
    },
  );

  it('obeys a run again that a killed server had taken, with the same key', async () => {
    await crashWhileObeying(RUN);
    for (const turn of [1, 2]) {
      watch = startWatch('/db');
      await eventually(() => obeyed.length > turn && readdirSync(top).length === 0);
      await watch.close();
      writeFileSync(join(top, takenName), JSON.stringify(RUN));
    }
    const [, second, third] = obeyed.map(({ rawMeta }) => rawMeta);
    expect(second).toEqual({ ...RUN.meta, key: expect.stringMatching(/^directive-b084f664-6b0c/) });
    expect(third).toEqual(second);
  });

  it('gives each run a key of its own, unless it has one', async () => {
    for (const count of [1, 2]) {
      writeFileSync(file, JSON.stringify(RUN));
      await eventually(() => obeyed.length === count && !existsSync(file));
    }
    writeFileSync(file, JSON.stringify({ ...RUN, meta: { ...RUN.meta, key: 'mine' } }));
    await eventually(() => obeyed.length === 3);
    const keys = obeyed.map(({ rawMeta }) => rawMeta.key);
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe('mine');
  });

  it('does not obey another command a second time', async () => {
    await crashWhileObeying(QUIT);
    watch = startWatch('/db');
    await eventually(() => readdirSync(top).some((name) => name.includes('.rejected-')));
    await afterAnother();
    expect(obeyed.map(({ action }) => action)).toEqual(['quit', 'hello']);
  });

  it("leaves alone what another server's crash has left", async () => {
    await crashWhileObeying(RUN);
    watch = startWatch('/another/db');
    await afterAnother();
    expect(readdirSync(top)).toEqual([takenName]);
    expect(obeyed.map(({ action }) => action)).toEqual(['run', 'hello']);
  });

  it('keeps one whose command fails, says why, and goes on', async () => {
    refuse = new Error('no such action');
    writeFileSync(file, JSON.stringify(QUIT));
    await eventually(() => warnings.includes('no such action'));
    expect(readdirSync(top)).toEqual([expect.stringMatching(/^d_msg\.json\.rejected-/)]);
    refuse = undefined;
    await afterAnother();
    expect(obeyed).toHaveLength(2);
  });

  it('tries again one for which the disk has no room, and obeys it once there is some', async () => {
    refuse = new PmanError('storage', 'no room');
    writeFileSync(file, JSON.stringify(RUN));
    await eventually(() => obeyed.length > 1, { message: 'the second try' });
    expect(readdirSync(top)).toEqual([expect.stringContaining('.taken-')]);
    refuse = undefined;
    await eventually(() => readdirSync(top).length === 0, { message: 'the file to be removed' });
    expect(new Set(obeyed.map(({ rawMeta }) => rawMeta.key)).size).toBe(1);
  });

  it('leaves one for which there was no room to the next server', async () => {
    refuse = new PmanError('storage', 'no room');
    writeFileSync(file, JSON.stringify(RUN));
    await eventually(() => obeyed.length > 0);
    await watch.close();
    expect(readdirSync(top)).toEqual([expect.stringContaining('.taken-')]);
    refuse = undefined;
    watch = startWatch('/db');
    await eventually(() => readdirSync(top).length === 0, { message: 'the file to be removed' });
    expect(new Set(obeyed.map(({ rawMeta }) => rawMeta.key)).size).toBe(1);
  });

  it('says who has to write the file when it may not be read', async () => {
    if (process.getuid?.() !== 0) return; // only root can be somebody else for a while
    writeFileSync(file, JSON.stringify(QUIT), { mode: 0o600 });
    process.seteuid?.(65_534);
    try {
      await eventually(() => warnings.length > 0, { message: 'the warning' });
    } finally {
      process.seteuid?.(0);
    }
    expect(warnings).toEqual([
      `${file} cannot be read: run pman_do as the user of pman (uid 65534)`,
    ]);
    await eventually(() => obeyed.length > 0, { message: 'the file to be obeyed' });
  });

  it('leaves the file of another user alone, and says so once', async () => {
    if (process.getuid?.() !== 0) return; // only root can give a file away
    writeFileSync(`${file}.new`, JSON.stringify(QUIT));
    chownSync(`${file}.new`, 12345, 12345);
    renameSync(`${file}.new`, file);
    await eventually(() => warnings.length > 0);
    await lookedAtAgain();
    expect(warnings).toEqual([`${file} belongs to another user (uid 12345) and is left alone`]);
    expect(existsSync(file)).toBe(true);
    expect(obeyed).toEqual([]);
  });

  it('leaves a symbolic link alone: who made it is not who wrote the file', async () => {
    writeFileSync(join(top, 'other.json'), JSON.stringify(QUIT));
    symlinkSync(join(top, 'other.json'), file);
    await eventually(() => warnings.length > 0);
    expect(warnings[0]).toContain('symbolic link');
    expect(existsSync(join(top, 'other.json'))).toBe(true);
    await afterAnother();
    expect(obeyed.map(({ action }) => action)).toEqual(['hello']);
  });

  it('leaves a folder of that name alone', async () => {
    mkdirSync(file);
    await lookedAtAgain();
    expect(warnings).toEqual([]);
    await afterAnother();
    expect(obeyed.map(({ action }) => action)).toEqual(['hello']);
  });

  it('obeys nothing any more once it has ended', async () => {
    await watch.close();
    const left = file;
    writeFileSync(left, JSON.stringify(QUIT));
    // One that began later has had its time.
    file = join(top, 'other.json');
    watch = startWatch('/db');
    await lookedAtAgain();
    expect(obeyed).toEqual([]);
    expect(existsSync(left)).toBe(true);
  });
});
