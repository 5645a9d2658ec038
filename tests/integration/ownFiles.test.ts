import { execFileSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { itWithEngine, notLinux, notRoot } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, runJob, statesOf, untilEnded } from '../helpers/pman.ts';
import { makeFolders, startServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** The rights of all that is in a folder, and of itself, without repetition. */
function modesIn(folder: string): { readonly folders: string[]; readonly files: string[] } {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const modes = (of: typeof entries) => [
    ...new Set(of.map(({ parentPath, name }) => modeOf(join(parentPath, name)))),
  ];
  return {
    folders: [
      ...new Set([modeOf(folder), ...modes(entries.filter((entry) => entry.isDirectory()))]),
    ],
    files: modes(entries.filter((entry) => entry.isFile() || entry.isSocket())),
  };
}

describe('what pman writes', () => {
  it('is for its user alone: records with the secrets of jobs, their outputs, copies, the debug log', async () => {
    const server = await startServer({ flags: ['--debugToFile'] });
    const jid = await runJob(server, 'echo out', { env: { TOKEN: 'secret' } });
    await untilEnded(server, jid);
    for (const meta of [{ do: 'save' }, { do: 'save', dbpath: 'copy' }]) {
      expect((await server.post('DBctl', meta)).status).toBe(true);
    }
    const { DBpath, home } = server.folders;
    expect(modesIn(DBpath)).toEqual({ folders: ['700'], files: ['600'] });
    expect(modesIn(`${DBpath}.spool/exports/copy`)).toEqual({ folders: ['700'], files: ['600'] });
    expect(modesIn(`${DBpath}.spool`)).toEqual({ folders: ['700'], files: ['600'] });
    expect(modesIn(join(home, 'tmp'))).toEqual({ folders: ['700'], files: ['600'] });
    await endServer(server);
  });

  it('can be read by its group with --umask 027, but for what is no record', async () => {
    const server = await startServer({ flags: ['--umask', '027'] });
    const jid = await runJob(server, 'echo out');
    await untilEnded(server, jid);
    await server.post('DBctl', { do: 'save' });
    expect(modesIn(server.folders.DBpath)).toEqual({ folders: ['750'], files: ['640'] });
    expect(modeOf(`${server.folders.DBpath}.spool`)).toBe('700');
    await endServer(server);
  });

  it('is one thing, and the files of jobs another: they have the umask that pman was started with', async () => {
    const before = process.umask(0o027);
    try {
      const server = await startServer();
      const jid = await runJob(server, 'umask; touch made');
      expect((await untilEnded(server, jid)).stdout).toContain('0027\n');
      expect(modeOf(join(server.folders.cwd, 'made'))).toBe('640');
      await endServer(server);
    } finally {
      process.umask(before);
    }
  });
});

describe('where pman works', () => {
  it('is in the state folder of its user when nobody says', async () => {
    const folders = makeFolders();
    const state = join(folders.root, 'state');
    const server = await startServer({
      folders,
      env: { XDG_STATE_HOME: state, PMAN_HOME: undefined },
      ownFlags: ({ directiveFile }) => ['--port', '0', '--directiveFile', directiveFile],
    });
    const jid = await runJob(server, 'true');
    await untilEnded(server, jid);
    await endServer(server);
    expect(readdirSync(join(state, 'pman', 'db'))).toHaveLength(1);
    expect(modeOf(join(state, 'pman'))).toBe('700');
  });

  it.each(['.spool', '.spool/jobs'])(
    'is never behind a link: with one at <DBpath>%s it does not start',
    async (ending) => {
      const folders = makeFolders();
      const elsewhere = join(folders.root, 'elsewhere');
      mkdirSync(elsewhere);
      if (ending.includes('/')) mkdirSync(`${folders.DBpath}.spool`);
      symlinkSync(elsewhere, `${folders.DBpath}${ending}`);
      await expect(startServer({ folders })).rejects.toThrow(
        expect.objectContaining({
          message: expect.stringContaining(`${folders.DBpath}${ending} is a symbolic link`),
        }),
      );
    },
  );

  itWithEngine('is never behind a link of another user at <DBpath>', notRoot, async () => {
    const folders = makeFolders();
    const elsewhere = join(folders.root, 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, folders.DBpath);
    lchownSync(folders.DBpath, 65_534, 65_534);
    await expect(startServer({ folders })).rejects.toThrow(`${folders.DBpath} is a symbolic link`);
  });

  it('is where its user has made a link to, and no second pman works there', async () => {
    const folders = makeFolders();
    const elsewhere = join(folders.root, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    symlinkSync(elsewhere, folders.DBpath);
    const server = await startServer({ folders });
    await untilEnded(server, await runJob(server, 'true'));
    const other = { ...folders, DBpath: elsewhere };
    await expect(startServer({ folders: other })).rejects.toThrow('another pman works in');
    await endServer(server);
    expect(readdirSync(elsewhere)).toHaveLength(1);
    expect(existsSync(`${folders.DBpath}.spool`)).toBe(false);
  });

  itWithEngine(
    'is not the place of a second pman that reaches it by a bind mount',
    notRoot,
    async () => {
      const folders = makeFolders();
      const server = await startServer({ folders });
      const mounted = join(folders.root, 'mounted');
      mkdirSync(mounted);
      try {
        execFileSync('mount', ['--bind', folders.DBpath, mounted]);
      } catch {
        return endServer(server); // not every container lets root mount
      }
      try {
        const other = { ...folders, DBpath: mounted };
        await expect(startServer({ folders: other })).rejects.toThrow('another pman works in');
        await endServer(server);
        const second = await startServer({ folders: other });
        await untilEnded(second, await runJob(second, 'true'));
        await endServer(second);
        expect(readdirSync(mounted).filter((name) => !name.startsWith('.'))).toHaveLength(1);
      } finally {
        execFileSync('umount', [mounted]);
      }
    },
  );

  it('is not the place of a second pman when its folder was renamed', async () => {
    const folders = makeFolders();
    const server = await startServer({ folders });
    const renamed = `${folders.DBpath}-renamed`;
    renameSync(folders.DBpath, renamed);
    const other = { ...folders, DBpath: renamed };
    await expect(startServer({ folders: other })).rejects.toThrow('another pman works in');
    renameSync(renamed, folders.DBpath);
    await endServer(server);
  });

  itWithEngine(
    'is its own folder also when the path of that is too long for sockets',
    notLinux,
    async () => {
      const folders = makeFolders(tempDir('x'.repeat(120)));
      const before = new Set(readdirSync(tmpdir()));
      const server = await startServer({ folders });
      const jid = await runJob(server, 'sleep 60');
      await eventually(async () => (await statesOf(server, jid))[0] === 'started');
      const spool = `${folders.DBpath}.spool`;
      expect(readdirSync(spool)).toContain('pman.sock');
      expect(readdirSync(join(spool, 'jobs'))).toContain('runner.sock');
      const made = readdirSync(tmpdir()).filter((name) => !before.has(name));
      expect(made.filter((name) => name.endsWith('.sock'))).toEqual([]);
      await expect(startServer({ folders })).rejects.toThrow('another pman works in');
      // The next one finds the runner, and the job in it.
      await server.kill9();
      await server.restart();
      expect(await statesOf(server, jid)).toEqual(['started']);
      expect((await server.post('kill', { key: 'jid', value: jid, grace: 0 })).status).toBe(true);
      expect(await untilEnded(server, jid)).toMatchObject({ returncode: [-15] });
      await endServer(server);
    },
  );

  itWithEngine(
    'is never what another user has made: it runs nothing that was put there',
    notRoot,
    async () => {
      const folders = makeFolders();
      const first = await startServer({ folders, flags: ['--maxJobs', '1'] });
      const mark = join(folders.root, 'ran');
      await runJob(first, 'sleep 60');
      await runJob(first, `touch ${mark}`);
      await first.kill9();
      first.endJobs();
      const spool = `${folders.DBpath}.spool`;
      chownSync(spool, 65_534, 65_534);
      await expect(startServer({ folders })).rejects.toThrow('belongs to another user (uid 65534');
      expect(existsSync(mark)).toBe(false);
      // Given back, the journal in it is obeyed: it would have been before.
      chownSync(spool, 0, 0);
      const second = await startServer({ folders });
      await eventually(() => existsSync(mark), { message: 'the waiting job' });
      await endServer(second);
    },
  );
});
