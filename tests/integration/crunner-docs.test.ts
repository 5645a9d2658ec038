import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EXIT, SSH_EXIT } from '../../crunner/cli/exitCodes.ts';
import { tempDir } from '../helpers/tempDir.ts';

const page = readFileSync('docs/crunner.md', 'utf8');

describe('docs/crunner.md', () => {
  it('has the exit codes that there are', () => {
    const documented = [...page.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
    const used = new Set([...Object.values(EXIT), ...Object.values(SSH_EXIT)]);
    expect(documented).toEqual([...used].sort((a, b) => a - b));
  });

  it('shows what its first command prints', () => {
    const [, command = '', shown] = /^```\n\$ crunner (.+)\n([\s\S]*?)```/m.exec(page) ?? [];
    const line = `'${process.execPath}' dist/bin/crunner.cjs ${command}`;
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', line], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: shown, stderr: '' });
  });

  it('has a program that runs as it stands', () => {
    const [, program = ''] = /^```ts\n([\s\S]*?)```/m.exec(page) ?? [];
    const folder = tempDir();
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(process.cwd(), join(folder, 'node_modules', 'pman'));
    writeFileSync(join(folder, 'example.mjs'), program);
    writeFileSync(join(folder, 'Makefile'), 'all:\n\t@echo made\ncheck:\n\t@exit 1\n');
    const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
      cwd: folder,
      encoding: 'utf8',
    });
    // Where there is no make, a shell says 127.
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^0: make, pid \d+\n0: returned (0|127)\n1: {2}make check, pid \d+\n1: returned (2|127)\n$/,
    );
  });
});
