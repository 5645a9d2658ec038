import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { Child } from '../../helpers/child.ts';
import { builtProgram, makeFolders } from '../../helpers/startServer.ts';
import type { Subject } from '../attack.ts';

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
  ],
};
