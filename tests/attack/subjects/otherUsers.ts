import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { Child } from '../../helpers/child.ts';
import { eventually } from '../../helpers/eventually.ts';
import { isRunning, resultOf, runJob, untilEnded } from '../../helpers/pman.ts';
import { builtProgram, makeFolders } from '../../helpers/startServer.ts';
import {
  STRANGER,
  strangerConnects,
  strangerListens,
  strangerMissing,
} from '../../helpers/stranger.ts';
import type { Subject } from '../attack.ts';
import { withPman } from '../victims.ts';

const OWN_FILES = 'tests/integration/ownFiles.test.ts';

const run = (name: string, args: readonly string[], cwd: string) =>
  new Child([...builtProgram(name), ...args], { cwd, env: { ...process.env } });

export const otherUsers: Subject = {
  title: 'other users of the host',
  attacks: [
    {
      tried: 'links where pman_do writes its directive, to have another file overwritten',
      observe: async () => {
        const { root } = makeFolders();
        const victim = join(root, 'victim');
        const file = join(root, 'd.json');
        writeFileSync(victim, 'precious');
        symlinkSync(victim, file);
        // The names that it had before: with the number of its process.
        for (let pid = process.pid; pid < process.pid + 400; pid += 1) {
          symlinkSync(victim, `${file}.new-${pid}`);
        }
        const message = JSON.stringify({ action: 'hello', meta: { secret: 'canary' } });
        const child = run('pman_do', ['--saveTo', file, '--msg', message], root);
        const { code } = await child.within(20_000);
        expect(readFileSync(victim, 'utf8')).toBe('precious');
        expect([code, lstatSync(file).isFile()]).toEqual([0, true]);
        const mode = (lstatSync(file).mode & 0o777).toString(8);
        return `the file behind the links stays as it was; the directive has mode 0${mode}`;
      },
    },
    {
      tried: 'an unknown `--container-env`, which would run container jobs on the host',
      observe: async () => {
        const { root } = makeFolders();
        const flags = ['--port', '0', '--DBpath', join(root, 'db'), '--container-env', 'swarn'];
        const child = run('pman', flags, root);
        const { code } = await child.within(20_000);
        expect(child.output.stderr).toContain('swarn');
        return `pman does not start: exit code ${code}`;
      },
    },
    {
      tried: 'a folder with a planted journal where pman looks for work',
      happens: 'pman does not start on what others own or may write',
      shownBy: [OWN_FILES, 'is never what another user has made'],
    },
    {
      tried: 'links in place of the folders of pman',
      happens: 'pman does not start',
      shownBy: [OWN_FILES, 'is never behind a link'],
    },
    {
      tried: 'to read what jobs were given in `env`, and their outputs',
      happens: 'all files are for the user of pman alone',
      shownBy: [OWN_FILES, 'is for its user alone'],
    },
    {
      tried: 'sockets under names that can be foretold in /tmp',
      happens: 'there are none',
      shownBy: [OWN_FILES, 'is its own folder also when the path of that is too long'],
    },
    {
      tried:
        'orders to the sockets of the runner and of the copier, where their folder is open by a slip',
      missing: strangerMissing,
      observe: () =>
        withPman({}, async (server) => {
          const jobs = join(`${server.folders.DBpath}.spool`, 'jobs');
          const jid = await runJob(server, 'echo $$ && exec sleep 60');
          const pid = await eventually(async () => Number((await resultOf(server, jid)).stdout[0]));
          const folder = join(jobs, (await resultOf(server, jid)).jobRoot);
          const request = { signal: 'SIGKILL', graceMs: 5, cause: 'ended by a stranger' };
          const order = `${JSON.stringify({ do: 'kill', folder, request })}\n`;
          const heard = [
            await strangerConnects(join(jobs, 'runner.sock'), order),
            await strangerConnects(join(jobs, 'outputs.sock'), order),
          ];
          expect([...heard, isRunning(pid)]).toEqual(['', '', true]);
          expect(readFileSync(join(jobs, 'runner.log'), 'utf8')).toContain(`(uid ${STRANGER})`);
          await server.post('kill', { key: 'jid', value: jid, grace: 0 });
          const { returncode } = await untilEnded(server, jid);
          expect(returncode).toEqual([-15]);
          return 'the connection is closed without a word, nothing is ended, and the log names the user';
        }),
    },
    {
      tried: 'sockets in place of those of the runner and of the copier, to be given the jobs',
      happens: 'they are told nothing, and the jobs run',
      shownBy: [
        'tests/integration/strangers.test.ts',
        'is taken for no runner and no copier: jobs run by those of pman',
      ],
    },
    {
      tried: 'a socket in place of the one that locks the database',
      missing: strangerMissing,
      observe: async () => {
        const folders = makeFolders();
        const spool = `${folders.DBpath}.spool`;
        for (const folder of [folders.DBpath, spool]) mkdirSync(folder, { mode: 0o700 });
        const heard = await strangerListens(join(spool, 'pman.sock'), '');
        const child = run('pman', ['--port', '0', '--DBpath', folders.DBpath], folders.root);
        const { code } = await child.within(20_000);
        expect(child.output.stderr).toContain(`a process of another user (uid ${STRANGER})`);
        expect(heard()).toBe('');
        return `pman does not start: exit code ${code}, and the message names the user`;
      },
    },
  ],
};
