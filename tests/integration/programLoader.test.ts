import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkout } from '../helpers/startServer.ts';

const bin = join(checkout, 'dist/bin');
const fixture = (name: string) => ['--require', join(checkout, 'tests/fixtures', name)];

/** What a program says, and of its files whether V8 took the code that was compiled at the build. */
function run(...argv: string[]) {
  const words = [...fixture('compiledMeter.cjs'), ...argv];
  const { status, output } = spawnSync(process.execPath, words, {
    ...{ stdio: ['ignore', 'pipe', 'pipe', 'pipe'], encoding: 'utf8' },
    env: { PATH: process.env.PATH },
  });
  const [, stdout, stderr, files] = output;
  return { status, stdout, stderr, taken: new Map(JSON.parse(files || '[]')) };
}

describe('a program of the build', () => {
  it.each(['pman', 'pfioh', 'purl', 'pman_do', 'pman_health', 'swarm'])(
    '%s compiles nothing when it starts',
    (name) => {
      const { status, taken } = run(join(bin, `${name}.cjs`), '--version');
      expect(status).toBe(0);
      expect([...taken].filter(([, isTaken]) => isTaken !== true)).toEqual([]);
      expect(taken.size).toBeGreaterThan(0);
    },
  );

  it('starts all the same where V8 has other flags than at the build', () => {
    const { status, stdout, taken } = run('--no-lazy', join(bin, 'pman.cjs'), '--version');
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^Version: /) });
    expect([...taken.values()]).not.toContain(true);
  });
});

describe('the loader of programs', () => {
  let folder: string;
  const wrap = (code: string) =>
    `(function(exports,require,module,__filename,__dirname,__import){${code}})`;
  const write = (name: string, code: string) => writeFileSync(join(folder, name), wrap(code));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pman-loader-'));
    copyFileSync(join(bin, 'programLoader.cjs'), join(folder, 'programLoader.cjs'));
    writeFileSync(
      join(folder, 'program.cjs'),
      "module.exports = require('./programLoader.cjs').load('main-1.cjs');",
    );
    write('main-1.cjs', "console.log(require('./part.cjs').word);");
    write('part.cjs', "exports.word = 'as it is in the file';");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const program = () => run(join(folder, 'program.cjs'));
  const keep = () =>
    spawnSync(process.execPath, [
      ...['--require', join(checkout, '.ci/keepCode.cjs')],
      join(folder, 'program.cjs'),
    ]);

  it('takes the compiled code of each file that was kept', () => {
    expect(program().taken).toEqual(
      new Map([
        ['main-1.cjs', false],
        ['part.cjs', false],
      ]),
    );
    keep();
    expect(readdirSync(folder)).toContain('main-1.cjs.cache');
    const { stdout, taken } = program();
    expect(stdout).toBe('as it is in the file\n');
    expect(taken).toEqual(
      new Map([
        ['main-1.cjs', true],
        ['part.cjs', true],
      ]),
    );
  });

  it.each<[string, (cache: Buffer) => Buffer]>([
    [
      'of another Node',
      (cache) => Buffer.from(cache.toString('latin1').replace('"linux', '"other'), 'latin1'),
    ],
    ['cut off in its head', (cache) => cache.subarray(0, 20)],
    ['cut off in the code', (cache) => cache.subarray(0, cache.length / 2)],
    ['empty', () => Buffer.alloc(0)],
  ])('compiles the files when the code is %s', (_, change) => {
    keep();
    const file = join(folder, 'main-1.cjs.cache');
    writeFileSync(file, change(readFileSync(file)));
    const { status, stdout } = program();
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'as it is in the file\n' });
  });

  it('tries a part anew that failed when it was loaded', () => {
    write(
      'main-1.cjs',
      `const tries = [1, 2].map(() => { try { return require('./part.cjs'); } catch (error) { return error.message; } });
       console.log(tries.join());`,
    );
    write('part.cjs', "exports.half = 1; throw new Error('no binary');");
    expect(program().stdout).toBe('no binary,no binary\n');
  });

  it('names the file and the place of a fault', () => {
    write('part.cjs', "\n\nexports.word = (function fault() { throw new Error('odd'); })();");
    keep();
    expect(program().stderr).toContain(`at fault (${join(folder, 'part.cjs')}:3:`);
  });
});
