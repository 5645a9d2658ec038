import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { endServer } from '../helpers/pman.ts';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { checkout, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const missing = (shell: string) => () =>
  spawnSync(shell, ['--version']).status === 0 ? undefined : `no ${shell}: install it`;

/** The variables of somebody who has pman in the PATH. */
function envWithPman({ port, folders }: TestServer) {
  const bin = tempDir();
  const program = join(checkout, 'dist/bin/pman.cjs');
  const script = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`;
  writeFileSync(join(bin, 'pman'), script, { mode: 0o755 });
  return {
    ...{ PATH: `${bin}:${process.env.PATH}`, HOME: folders.home, LANG: 'C.UTF-8', TERM: 'xterm' },
    PMAN_URL: `http://127.0.0.1:${port}`,
  };
}

describe('completion', () => {
  let server: TestServer;
  const ids: string[] = [];
  beforeAll(async () => {
    server = await startServer();
    for (const [name, line] of [
      ['one', 'true'],
      ['two', 'exit 7'],
    ] as const) {
      ids.push((await pmanVerb(server, ['run', '--name', name, line])).stdout.trim());
    }
    await pmanVerb(server, ['wait', ...ids]);
  });
  afterAll(() => endServer(server));

  /** What bash offers for a line, the cursor behind it, at the second press of the key (63) or the first (9). */
  const offered = (words: readonly string[], type: 9 | 63) => {
    const script = `
      pman() { "${process.execPath}" dist/bin/pman.cjs "$@"; }
      command() { "$@"; }
      compopt() { echo "option: $*"; }
      source <(pman completion bash)
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
      COMP_CWORD=${words.length - 1} COMP_TYPE=${type}
      _pman_complete
      printf '%s\\n' "\${COMPREPLY[@]}"
      complete -p pman
    `;
    const env = { ...process.env, PMAN_URL: `http://127.0.0.1:${server.port}`, COLUMNS: '60' };
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
      encoding: 'utf8',
      env,
    });
    expect(stderr).toBe('');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.pop()).toContain('-F _pman_complete pman');
    return lines;
  };

  it('knows ids, with the name and the state beside them', () => {
    const [one = '', two = ''] = ids;
    expect(offered(['pman', 'show', ''], 9)).toEqual(expect.arrayContaining([one, two, 'failed']));
    const listed = offered(['pman', 'show', ''], 63);
    expect(listed.find((line) => line.startsWith(two))).toMatch(/^\w{6} +two {2}failed 7$/);
    expect(Math.max(...listed.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(offered(['pman', 'logs', two.slice(0, 4)], 9)).toEqual([two]);
    expect(offered(['pman', 'kill', 'tw'], 9)).toEqual(['two']);
  });

  it('knows the flags of the server, those of token, and signals', () => {
    expect(offered(['pman', 'serve', '--DBp'], 9)).toEqual(['--DBpath']);
    expect(offered(['pman', '--DBp'], 9)).toEqual(['--DBpath']);
    expect(offered(['pman', '--forward', '--DBp'], 9)).toEqual(['--DBpath']);
    expect(offered(['pman', 'token', ''], 9)).toEqual(['add', 'list', 'revoke']);
    expect(offered(['pman', 'token', 'add', 'x', '--sc'], 9)).toEqual(['--scopes']);
    expect(offered(['pman', 'token', 'revoke', '--sc'], 9)).toEqual(['']);
    expect(offered(['pman', 'serve', '--tokenPath', ''], 9)).toEqual(['option: -o default', '']);
    expect(offered(['pman', 'kill', '-s', 'US'], 9)).toEqual(['USR1', 'USR2']);
  });

  it('knows verbs, flags, and what flags may be', () => {
    expect(offered(['pman', 'ev'], 9)).toEqual(['events']);
    expect(offered(['pman', 'help', 'exit'], 9)).toEqual(['exit-codes']);
    expect(offered(['pman', 'run', '--time'], 9)).toEqual(['--timeout']);
    expect(offered(['pman', 'run', '--backend', ''], 9)).toEqual([
      'host',
      'swarm',
      'docker',
      'kubernetes',
    ]);
    expect(offered(['pman', 'push', ''], 9)).toEqual(['option: -o default', '']);
    expect(offered(['pman', 'completion', ''], 9)).toEqual(['bash', 'zsh', 'fish']);
  });

  it('says nothing when the server is away', async () => {
    const { code, stdout, stderr } = await pmanVerb(server, ['__complete', 'show', ''], {
      env: { PMAN_URL: 'http://127.0.0.1:9' },
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('knows which flags name files and folders', () => {
    for (const flag of ['--push', '--into', '--cwd']) {
      expect([flag, ...offered(['pman', 'run', flag, ''], 9)]).toEqual([
        ...[flag, 'option: -o dirnames', ''],
      ]);
    }
    expect(offered(['pman', 'run', '--stdin', ''], 9)).toEqual(['option: -o default', '']);
  });

  describeWithEngine('in fish', missing('fish'), () => {
    const offers = (line: string) => {
      const script = 'pman completion fish | source; complete -C $argv[1]';
      const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script, line], {
        ...{ encoding: 'utf8', env: envWithPman(server) },
      });
      expect(stderr).toBe('');
      return stdout.trimEnd().split('\n');
    };

    it('offers ids, names, flags and folders', () => {
      const [one = '', two = ''] = ids;
      expect(offers('pman show ')).toEqual(
        expect.arrayContaining([`${one}\tone  ok`, `${two}\ttwo  failed 7`]),
      );
      expect(offers('pman logs tw')).toEqual([`two\t${two}  failed 7`]);
      expect(offers('pman run --backend=d')).toEqual(['--backend=docker']);
      expect(offers('pman run --push /pro').join()).toContain('/proc/');
    });
  });

  describeWithEngine('in zsh', missing('zsh'), () => {
    /** What a line becomes when the key is pressed, and what is listed below it. */
    const completed = (line: string) => {
      const script = `
        zmodload zsh/zpty
        zpty -b z zsh -f -i
        zpty -w z "PS1=; stty cols 200; autoload -Uz compinit; compinit -D -u; source <(pman completion zsh)"
        zpty -w z 'tell() { print -r -- "LINE<$BUFFER>" }; zle -N tell; bindkey "^I" complete-word "^X" tell'
        zpty -w z "print READ''Y"
        zpty -r z out '*READY*'
        zpty -n -w z "$1"$'\t\x18'
        zpty -r z out '*LINE<*>*'
        print -r -- "$out"
      `;
      const { stdout } = spawnSync('zsh', ['-f', '-c', script, 'zsh', line], {
        ...{ encoding: 'utf8', env: envWithPman(server) },
      });
      const shown = stripVTControlCharacters(stdout);
      return { line: /LINE<(.*)>/.exec(shown)?.[1], shown };
    };

    it('puts ids, names, flags and folders in, and lists what each is', () => {
      const [one = '', two = ''] = ids;
      expect(completed(`pman show ${one.slice(0, 5)}`).line).toBe(`pman show ${one} `);
      expect(completed('pman logs tw').line).toBe('pman logs two ');
      expect(completed('pman run --timeo').line).toBe('pman run --timeout ');
      expect(completed('pman run --backend=d').line).toBe('pman run --backend=docker ');
      expect(completed('pman run --push /pro').line).toBe('pman run --push /proc/');
      expect(completed('pman show ').shown).toMatch(new RegExp(`${two} +-- two {2}failed 7`));
    });
  });
});
