import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { VERBS } from '../../lib/verbs/index.ts';
import { endServer } from '../helpers/pman.ts';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { checkout, startServer, type TestServer } from '../helpers/startServer.ts';

/** `bad` and a byte that no text in UTF-8 has. */
const BAD = "$(printf 'bad\\377')";

describe('the words of a command line of pman', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));
  const pman = (...argv: string[]) => pmanVerb(server, argv);

  describe('that are too many', () => {
    it('remove nothing: clean takes none', async () => {
      const id = (await pman('run', '-q', '--name', 'keep', 'true')).stdout.trim();
      await pman('wait', id);
      for (const argv of [['failed'], ['--dry-run', 'nosuch'], ['-y', '--', 'keep']]) {
        const word = argv.at(-1);
        expect(await pman('clean', ...argv)).toEqual({
          ...{ code: 2, stdout: '' },
          stderr: `pman: clean: it takes no word beside its flags, and "${word}" is one\n  pman clean --help lists its flags\n`,
        });
      }
      expect((await pman('ls', '-aq')).stdout.trim()).toBe(id);
    });

    /** Each verb that takes words of its own, or so many and no more. */
    const OWN: Readonly<Record<string, readonly string[]>> = {
      token: ['list', 'more', '--tokenPath', '/nowhere.cfg'],
      serve: ['more'],
    };
    const limited = VERBS.flatMap(({ name, most }) => {
      if (most === 'any') return [];
      const words = most === 'own' ? OWN[name] : Array.from({ length: most + 1 }, () => 'more');
      return [[name, words ?? []] as const];
    });
    it.each([...limited, ['help', ['run', 'more']] as const])(
      'are refused by name: %s %j',
      async (name, words) => {
        const { code, stdout, stderr } = await pman(name, ...words);
        expect([code, stdout]).toEqual([2, '']);
        expect(stderr).toContain('"more"');
      },
    );
  });

  it('that are large numbers mean all there is', async () => {
    const id = (await pman('run', '-q', 'echo a; echo b')).stdout.trim();
    await pman('wait', id);
    expect(await pman('logs', '-n', '99999999999', id)).toMatchObject({ stdout: 'a\nb\n' });
    const { stdout } = await pman('ls', '-q', '-n', '99999999999');
    expect(stdout.split('\n')).toContain(id);
  });

  describe('that are not UTF-8', () => {
    /** A line of a shell, which alone can give such words. */
    const line = (text: string, env: Record<string, string> = {}) => {
      const program = (name: string) =>
        `${name}() { '${process.execPath}' '${join(checkout, `dist/bin/${name}.cjs`)}' "$@"; }`;
      const child = spawn(
        'sh',
        ['-c', `${['pman', 'crunner', 'purl'].map(program).join('\n')}\n${text}`],
        {
          ...{ cwd: server.folders.cwd, stdio: ['ignore', 'pipe', 'pipe'] },
          env: {
            ...{ PATH: process.env.PATH, HOME: server.folders.home, ...env },
            PMAN_URL: `http://127.0.0.1:${server.port}`,
          },
        },
      );
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('latin1').on('data', (piece: string) => {
        stdout += piece;
      });
      child.stderr.setEncoding('utf8').on('data', (piece: string) => {
        stderr += piece;
      });
      return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
        child.once('close', (code) => resolve({ code, stdout, stderr }));
      });
    };

    it.each([
      `pman run -f -- printf %s "${BAD}"`,
      `pman run -f -e "V=${BAD}" 'printf %s "$V"'`,
      `V="${BAD}" pman run -f -e V 'printf %s "$V"'`,
      `PMAN_AUID="${BAD}" pman ls`,
      `pman ls "${BAD}"`,
      `pman push "${BAD}" place`,
      `pman serve --DBpath "${BAD}"`,
      `crunner -c "printf %s ${BAD}"`,
      `purl push "${BAD}" 127.0.0.1:9/place`,
    ])('are refused, as they would be others: %s', async (text) => {
      const { code, stdout, stderr } = await line(text);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('bad\\xff');
      expect(stderr).toContain('is not UTF-8');
    });

    it('touch no file of another name', async () => {
      const other = join(server.folders.cwd, 'bad\ufffd');
      writeFileSync(other, 'precious');
      expect(await line(`pman run -f -- rm "${BAD}"`)).toMatchObject({ code: 2 });
      expect(existsSync(other)).toBe(true);
    });

    it('are no folder of a job: it would run in another one', async () => {
      const other = join(server.folders.cwd, 'd\ufffd');
      mkdirSync(other);
      const inside = `mkdir -p "$(printf 'd\\351')"; cd "$(printf 'd\\351')" && `;
      for (const verb of [
        "pman run -f 'touch made'",
        'pman pull x y',
        'purl pull 127.0.0.1:9/x y',
      ]) {
        const { code, stderr } = await line(`${inside}${verb}`);
        expect([verb, code]).toEqual([verb, 2]);
        expect(stderr).toContain('the path of this folder is not UTF-8');
      }
      expect(existsSync(join(other, 'made'))).toBe(false);
      expect(await line(`${inside}pman run -f --cwd / pwd`)).toMatchObject({ stdout: '/\n' });
    });

    it('are not those that have the character U+FFFD itself', async () => {
      const { code, stdout } = await line("pman run -f -e V -- printf '%s' 'a\ufffd'", {
        V: '\ufffd',
      });
      expect([code, Buffer.from(stdout, 'latin1').toString()]).toEqual([0, 'a\ufffd']);
    });
  });
});
