import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { engine, engineMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { endServer } from '../helpers/pman.ts';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

jest.setTimeout(180_000);

const IMAGE = 'local/busybox:latest';
const UTF8 = { env: { LC_ALL: 'C.UTF-8' } };

/** `data`, with a file in it. */
function makeData(): string {
  const folder = join(tempDir(), 'data');
  mkdirSync(join(folder, 'in'), { recursive: true });
  writeFileSync(join(folder, 'in/numbers'), '3\n1\n2\n');
  return folder;
}

describeWithEngine('pman run --image with files', engineMissing, () => {
  describe.each(['docker', 'swarm'])('on %s', (containerEnv) => {
    let server: TestServer;
    let store = '';
    beforeAll(async () => {
      const flags = ['--container-env', containerEnv];
      server = await startServer({ flags, env: { DOCKER_HOST: engine ?? '' } });
      store = `${server.folders.DBpath}.spool/fileio`;
    });
    afterAll(() => endServer(server));
    const run = (...argv: string[]) => pmanVerb(server, ['run', '--image', IMAGE, ...argv], UTF8);

    it('brings the folder to /work, runs there, ends with the exit code, and fetches what fits', async () => {
      const data = makeData();
      const line = 'pwd; mkdir -p out/sub; sort in/numbers >out/sorted; echo x >out/sub/x; exit 3';
      const end = await run('--push', data, '--pull', 'out/**', '--', 'sh', '-c', line);
      expect([end.code, end.stdout]).toEqual([3, '/work\n']);
      expect(end.stderr).toMatch(/^✓ 2 files, 8 B in /m);
      expect(readFileSync(join(data, 'out/sorted'), 'utf8')).toBe('1\n2\n3\n');
      expect(readFileSync(join(data, 'out/sub/x'), 'utf8')).toBe('x\n');
      expect(readdirSync(join(store, 'runs'))).toEqual([]);
    });

    it('fetches into another folder, without one that is pushed', async () => {
      const into = join(tempDir(), 'got');
      const end = await run(
        '--pull',
        'a*',
        '--into',
        into,
        '--',
        'sh',
        '-c',
        'echo 1 >a1; echo 2 >b',
      );
      expect([end.code, existsSync(into) && readdirSync(into)]).toEqual([0, ['a1']]);
    });

    it('gives a line that needs a shell to that of the image', async () => {
      const end = await run('-f', 'X=5; echo $X; echo b | tr b c');
      expect(end).toMatchObject({ code: 0, stdout: '5\nc\n' });
    });

    it('keeps the words of the command as they are', async () => {
      const end = await run(
        '--push',
        makeData(),
        '-f',
        '--',
        'printf',
        '[%s]',
        'a  b',
        "c'd",
        '$HOME',
      );
      expect([end.code, end.stdout]).toEqual([0, "[a  b][c'd][$HOME]"]);
    });
  });
});
