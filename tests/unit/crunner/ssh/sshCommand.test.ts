import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { limitedCommand } from '../../../../crunner/ssh/sshCommand.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

/** Runs what the shell of another host would run. */
function run(command: string, limits: Parameters<typeof limitedCommand>[1], env = process.env) {
  const script = limitedCommand(command, limits, 'marker:');
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8', env });
  const code = /marker:end (\d+);/.exec(stderr)?.[1];
  return { stdout, stderr: stderr.replace(/marker:\w+ [^;]*;/g, ''), code: Number(code) };
}

const allowed = () =>
  spawnSync('nproc', { encoding: 'utf8', env: { PATH: process.env.PATH } }).stdout.trim();

describe('limitedCommand', () => {
  it('has the command run on so many of the processors that it may run on, or on all of fewer', () => {
    const some = fc.double({ min: 0.01, max: 500, noNaN: true });
    fc.assert(
      fc.property(some, (cpus) => {
        const { stdout, stderr, code } = run('nproc', { cpus });
        const count = Math.min(Math.ceil(cpus), Number(allowed()));
        expect({ stdout, stderr, code }).toEqual({ stdout: `${count}\n`, stderr: '', code: 0 });
      }),
      { numRuns: 10 },
    );
  });

  it('runs nothing on a host that has no taskset, and says why', () => {
    const { stdout, stderr, code } = run('echo ran', { cpus: 1 }, { PATH: tempDir() });
    expect({ stdout, code }).toEqual({ stdout: '', code: 126 });
    expect(stderr).toContain('this host has no taskset to limit processors with');
  });

  it('leaves the variables of the command alone', () => {
    const env = { ...process.env, i: 'i', l: 'l' };
    const { stdout } = run('echo $i $l $#', { cpus: 1 }, env);
    expect(stdout).toBe('i l 0\n');
  });
});
