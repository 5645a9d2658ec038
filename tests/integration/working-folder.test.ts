import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Child } from '../helpers/child.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, runJob, untilEnded } from '../helpers/pman.ts';
import { said } from '../helpers/said.ts';
import { builtProgram, startServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** A command line that removes its own folder before it becomes the program. */
function inLostFolder(...program: readonly string[]): readonly string[] {
  const folder = join(tempDir(), 'gone');
  mkdirSync(folder);
  return ['/bin/sh', '-c', 'cd "$0" && rmdir "$0" && exec "$@"', folder, ...program];
}

describe('a program that is started in a folder that is gone', () => {
  it('serves from / when it is pman, says so in one line, and runs jobs there', async () => {
    const server = await startServer({ command: inLostFolder(...builtProgram('pman')) });
    const said = server.output.stderr.split('\n').filter((line) => line.includes('it works in /'));
    expect(said).toHaveLength(1);
    const result = await untilEnded(server, await runJob(server, 'pwd'));
    expect(result.stdout).toEqual(['/\n']);
    await endServer(server);
  });

  it('serves from / when it is pfioh', async () => {
    const flags = ['--port', '0', '--forever', '--storeBase', tempDir()];
    const command = [...inLostFolder(...builtProgram('pfioh')), ...flags];
    const pfioh = new Child(command, { cwd: '/', env: process.env });
    await eventually(() => pfioh.output.stdout.includes('serving'));
    await said(pfioh, 'it works in /');
    pfioh.kill('SIGTERM');
    await pfioh.exited;
  });

  it.each([
    ['pman', ['--port', '0', '--DBpath', 'db']],
    ['pfioh', ['--storeBase', 'store']],
    ['purl', ['--http', '127.0.0.1:9/x', '--configFile', 'c']],
    ['pman_do', ['--op', 'DBclean', '--saveTo', 'x']],
    ['swarm', ['--conffile', 'c', 'ps']],
  ])('does not end with a stack when it is %s and needs that folder', (name, flags) => {
    const [file = '', ...args] = [...inLostFolder(...builtProgram(name)), ...flags];
    const { status, stderr } = spawnSync(file, args, { encoding: 'utf8', timeout: 20_000 });
    expect(status).not.toBe(0);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr.trim()).not.toBe('');
  });

  it('runs its command all the same when it is crunner', () => {
    const [file = '', ...args] = inLostFolder(...builtProgram('crunner'));
    const flags = ['-v', '-1', '--showStdOut', '-c', 'echo ran'];
    const { stdout, stderr } = spawnSync(file, [...args, ...flags], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toBe('ran\n\n');
  });
});
