import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Child } from '../helpers/child.ts';
import { eventually } from '../helpers/eventually.ts';
import { builtProgram } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const start = (flags: readonly string[]) =>
  new Child([...builtProgram('pman_do'), ...flags], {
    cwd: tempDir(),
    env: { PATH: process.env.PATH },
  });

describe('pman_do', () => {
  it('writes the directive at once and waits behind it, for pman to read it', async () => {
    const file = join(tempDir(), 'd_msg.json');
    const child = start(['--saveTo', file, '--op', 'DBclean', '--wait', '600']);
    try {
      await eventually(() => existsSync(file));
      const directive: unknown = JSON.parse(readFileSync(file, 'utf8'));
      expect(directive).toEqual({ action: 'DBctl', meta: { do: 'clear' } });
      expect(child.exit).toBeUndefined();
    } finally {
      process.kill(child.pid);
      await child.exited;
    }
  });

  it.each([
    [['--msg', '{'], 2, /^pman_do: --msg is not JSON: [^\n]+\npman_do: [^\n]+\n$/],
    [
      ['--op', 'DBclean', '-s', 'no/file'],
      1,
      /^pman_do: cannot write no\/file: [^\n]+\npman_do: [^\n]+\n$/,
    ],
  ])('says in a sentence why %j writes nothing', async (flags, code, sentence) => {
    const child = start(flags);
    expect((await child.within(10_000)).code).toBe(code);
    expect(child.output.stderr).toMatch(sentence);
  });
});
