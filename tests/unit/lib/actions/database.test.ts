import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ANYBODY } from '../../../../lib/access/caller.ts';
import { exportFolder } from '../../../../lib/actions/exportFolder.ts';
import { BadRequestError } from '../../../../lib/errors.ts';
import { dispatch } from '../../../../lib/server/dispatch.ts';
import type { JsonObject } from '../../../../lib/wire/json.ts';
import { openServices, type TestServices } from '../../../helpers/services.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let host: TestServices;
beforeEach(() => {
  host = openServices();
});
afterEach(() => host.close());

const dbctl = async (rawMeta: JsonObject) =>
  dispatch(host.services, { action: 'DBctl', rawMeta, threaded: false }, { caller: ANYBODY });

describe('exportFolder', () => {
  let top = '';
  let at: Parameters<typeof exportFolder>[1];
  beforeEach(() => {
    // Links are followed: what is expected has none.
    top = realpathSync(tempDir());
    const own = join(top, 'srv/pman');
    at = { own, workFolder: `${own}.spool`, exportPath: join(top, 'srv') };
    mkdirSync(own, { recursive: true });
  });
  /** The cases speak of /srv. */
  const inTop = (path: string) => path.replace(/^\/srv/, `${top}/srv`);

  it.each([
    [undefined, '/srv/pman'],
    ['/srv/pman', '/srv/pman'],
    ['/srv/pman/', '/srv/pman'],
    ['pman', '/srv/pman'],
    ['copy', '/srv/copy'],
    ['/srv/a/../b', '/srv/b'],
    ['./deep/er', '/srv/deep/er'],
    ['pman-copy', '/srv/pman-copy'],
  ])('takes %j for %s', (dbpath, folder) => {
    expect(exportFolder(dbpath && inTop(dbpath), at)).toBe(inTop(folder));
  });

  it.each([
    '',
    '.',
    '/',
    '/srv',
    '/srv/..',
    '..',
    '../etc',
    '/etc',
    '/srvx',
    'a/../../x',
    '/srv/../srvx',
  ])('refuses %j, which is outside', (dbpath) => {
    expect(() => exportFolder(inTop(dbpath), at)).toThrow(
      expect.objectContaining({ code: 'forbidden', message: expect.stringContaining('dbpath') }),
    );
  });

  it('takes a place in the folder for copies that is pman’s own, and none beside it', () => {
    const exports = join(`${at.own}.spool`, 'exports');
    const here = { ...at, exportPath: exports };
    expect(exportFolder('copy', here)).toBe(join(exports, 'copy'));
    for (const dbpath of ['.', '../jobs', '../jobs/x', '..', '../drafts']) {
      expect(() => exportFolder(dbpath, here)).toThrow(
        expect.objectContaining({ code: 'forbidden' }),
      );
    }
    expect(() => exportFolder('jobs', { ...at, exportPath: `${at.own}.spool` })).toThrow(
      expect.objectContaining({ code: 'forbidden' }),
    );
  });

  it.each(['pman/x', '/srv/pman/20261122063520.151489_x/start', 'pman.spool', 'pman.spool/jobs'])(
    'refuses %j, where the database itself lies',
    (dbpath) => {
      expect(() => exportFolder(inTop(dbpath), at)).toThrow(
        expect.objectContaining({ code: 'forbidden' }),
      );
    },
  );

  it('follows links before it judges', () => {
    symlinkSync('/etc', join(at.exportPath, 'etc'));
    symlinkSync(at.own, join(at.exportPath, 'again'));
    symlinkSync(join(top, 'nosuch'), join(at.exportPath, 'nowhere'));
    mkdirSync(join(at.exportPath, 'real'));
    symlinkSync('real', join(at.exportPath, 'link'));
    for (const dbpath of ['etc', 'etc/x', 'again', 'again/x', 'nowhere', 'nowhere/x']) {
      expect(() => exportFolder(dbpath, at)).toThrow(
        expect.objectContaining({ code: 'forbidden' }),
      );
    }
    expect(exportFolder('link/x', at)).toBe(join(at.exportPath, 'real/x'));
  });

  it.each(['a\0b', 'x'.repeat(300), `a/${'é'.repeat(130)}/b`])(
    'refuses %j, which no file system takes',
    (dbpath) => {
      expect(() => exportFolder(dbpath, at)).toThrow(BadRequestError);
      expect(() => exportFolder(dbpath, at)).not.toThrow(expect.stringContaining(top));
    },
  );

  it('never leads out of the export folder', () => {
    const piece = fc.oneof(fc.constantFrom('..', '.', '', '/', 'srv', 'pman', 'out'), fc.string());
    symlinkSync('/', join(at.exportPath, 'out'));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        let folder: string;
        try {
          folder = exportFolder(pieces.join('/'), at);
        } catch {
          return;
        }
        expect(relative(at.exportPath, folder)).not.toMatch(/^(\.\.(\/|$)|$)/);
      }),
    );
  });
});

describe('DBctl', () => {
  it('answers with the list of jobs, whatever it does', async () => {
    const root = host.addEnded('a', 'me', 0);
    for (const operation of ['save', 'load', 'nosuch', 5, null, ['clear']]) {
      expect(await dbctl({ do: operation })).toEqual({ status: true, result: { [root]: {} } });
    }
    expect(readdirSync(join(host.top, 'db'))).toEqual([root]);
    expect(await dbctl({ do: 'clear' })).toEqual({ status: true, result: {} });
    expect(readdirSync(join(host.top, 'db'))).toEqual([]);
  });

  it('saves, clears and loads a copy in the export folder', async () => {
    const root = host.addEnded('a', 'me', 0);
    await dbctl({ do: 'save', dbpath: 'copy' });
    expect(readdirSync(join(host.top, 'export', 'copy'))).toEqual([root]);
    await dbctl({ do: 'clear' });
    expect(await dbctl({ do: 'load', dbpath: 'copy' })).toMatchObject({ result: { [root]: {} } });
    await dbctl({ do: 'clear', dbpath: 'copy' });
    expect(readdirSync(join(host.top, 'export', 'copy'))).toEqual([]);
    expect([...host.services.database.roots()]).toEqual([root]);
  });

  it.each(['save', 'load', 'clear'])(
    'does not %s in a folder of somebody else',
    async (operation) => {
      host.addEnded('a', 'me', 0);
      const home = join(host.top, 'export', 'home');
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, 'letter'), '');
      await expect(dbctl({ do: operation, dbpath: home })).rejects.toMatchObject({
        code: 'conflict',
      });
      expect(readdirSync(home)).toEqual(['letter']);
      const outside = join(host.top, 'outside');
      await expect(dbctl({ do: operation, dbpath: outside })).rejects.toMatchObject({
        code: 'forbidden',
      });
      expect(existsSync(outside)).toBe(false);
    },
  );

  it.each(['pickle', 1, null, ''])('knows no form of the database %j', async (fileio) => {
    await expect(dbctl({ do: 'save', fileio })).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('fileio'),
    });
  });
});
