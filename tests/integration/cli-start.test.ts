import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endServer } from '../helpers/pman.ts';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { checkout, startServer, type TestServer } from '../helpers/startServer.ts';

interface Metered {
  readonly ms: number;
  readonly modules: readonly string[];
}

/** How often each is started; the shortest counts, for others work here, too. */
const STARTS = 8;
/** On top of Node itself, as a part of what that takes of the processor. A package or the server would take twice as much. */
const MOST = 0.75;

describe('the start of a verb', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    for (const n of [1, 2, 3]) await pmanVerb(server, ['run', '-f', `echo ${n}`]);
  });
  afterAll(() => endServer(server));

  const meter = (...argv: string[]): Metered => {
    const preload = ['-r', join(checkout, 'tests/fixtures/cpuMeter.cjs')];
    const { output } = spawnSync(process.execPath, [...preload, ...argv], {
      ...{ stdio: ['ignore', 'pipe', 'pipe', 'pipe'], encoding: 'utf8' },
      env: { ...process.env, PMAN_URL: `http://127.0.0.1:${server.port}` },
    });
    return JSON.parse(output[3] ?? '') as Metered;
  };
  const program = join(checkout, 'dist/bin/pman.cjs');

  it.each([[['ls']], [['run', 'true']], [['show']]])(
    'of pman %j takes little more than Node itself',
    (argv) => {
      const times = Array.from({ length: STARTS }, () => ({
        bare: meter('-e', '0').ms,
        verb: meter(program, ...argv).ms,
      }));
      const bare = Math.min(...times.map((one) => one.bare));
      const verb = Math.min(...times.map((one) => one.verb));
      expect(verb - bare).toBeLessThan(MOST * bare);
    },
  );

  it('loads neither fetch nor a package nor the server', () => {
    const { modules } = meter(program, 'ls');
    expect(modules.filter((name) => name.endsWith('.cjs') || name.endsWith('.js'))).toEqual([
      ...[join(checkout, 'tests/fixtures/cpuMeter.cjs'), program],
    ]);
    expect(modules).not.toContain('NativeModule internal/deps/undici/undici');
    expect(statSync(program).size).toBeLessThan(300 * 1024);
  });

  it('of crunner loads no cryptography', () => {
    const { modules } = meter(join(checkout, 'dist/bin/crunner.cjs'), '-v', '-1', '-c', 'true');
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
