import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endServer } from '../helpers/pman.ts';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { checkout, startServer, type TestServer } from '../helpers/startServer.ts';

describe('the start of a verb', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    for (const n of [1, 2, 3]) await pmanVerb(server, ['run', '-f', `echo ${n}`]);
  });
  afterAll(() => endServer(server));

  const modulesOf = (...argv: string[]): readonly string[] => {
    const preload = ['-r', join(checkout, 'tests/fixtures/cpuMeter.cjs')];
    const { output } = spawnSync(process.execPath, [...preload, ...argv], {
      ...{ stdio: ['ignore', 'pipe', 'pipe', 'pipe'], encoding: 'utf8' },
      env: { ...process.env, PMAN_URL: `http://127.0.0.1:${server.port}` },
    });
    return (JSON.parse(output[3] ?? '') as { modules: readonly string[] }).modules;
  };
  const program = join(checkout, 'dist/bin/pman.cjs');

  // What a start takes is measured (`npm run bench`); what would make it slow is what it loads.
  it.each([[['ls']], [['run', 'true']], [['show']]])(
    'of pman %j loads neither fetch nor a package nor the server',
    (argv) => {
      const modules = modulesOf(program, ...argv);
      expect(modules.filter((name) => name.endsWith('.cjs') || name.endsWith('.js'))).toEqual([
        ...[join(checkout, 'tests/fixtures/cpuMeter.cjs'), program],
      ]);
      expect(modules).not.toContain('NativeModule internal/deps/undici/undici');
      expect(statSync(program).size).toBeLessThan(300 * 1024);
    },
  );

  it('of crunner loads no cryptography', () => {
    const modules = modulesOf(join(checkout, 'dist/bin/crunner.cjs'), '-v', '-1', '-c', 'true');
    expect(modules).toContain('NativeModule child_process');
    expect(modules).not.toContain('Internal Binding crypto');
  });

  it('reads texts that take one byte a character in memory', () => {
    const bin = join(checkout, 'dist/bin');
    const wide = readdirSync(bin)
      .filter((name) => name.endsWith('.cjs'))
      .filter((name) => /[^\0-\x7f]/.test(readFileSync(join(bin, name), 'utf8')));
    expect(wide).toEqual([]);
  });
});
