import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkout } from './startServer.ts';
import { tempDir } from './tempDir.ts';

/** A program that went on too long is a failure, too: what was closed keeps nothing going. */
const LIMIT_MS = 100_000;

/** What a program has printed and how it ended. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(file: string, args: readonly string[], cwd: string): Ran {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    ...{ cwd, encoding: 'utf8', timeout: LIMIT_MS },
  });
  return { status, stdout, stderr: error === undefined ? stderr : `${stderr}${error.message}` };
}

function succeed(file: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = run(file, args, cwd);
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

/**
 * A folder in which the package is installed as users get it: what `npm pack` makes, and beside it the packages that it
 * asks for, and no others. PMAN_TEST_INSTALLED names a folder where npm has installed it instead.
 */
export function installedPackage(): string {
  const given = process.env.PMAN_TEST_INSTALLED;
  if (given) return given;
  const folder = tempDir('pman-installed');
  const packages = join(folder, 'node_modules');
  mkdirSync(join(packages, 'pman'), { recursive: true });
  const pack = ['pack', '--ignore-scripts', '--offline', '--json', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(succeed('npm', pack, checkout)) as [{ filename: string }];
  const into = ['--strip-components=1', '-C', join(packages, 'pman')];
  succeed('tar', ['-xzf', join(folder, filename), ...into], folder);
  const manifest = readFileSync(join(packages, 'pman/package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  for (const name of Object.keys(dependencies)) link(name, packages);
  return folder;
}

function link(name: string, packages: string): void {
  const place = join(packages, name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(join(checkout, 'node_modules', name), place);
}

/** A program in a new folder below the installed package. */
export class Consumer {
  readonly folder: string;
  readonly #name: string;

  constructor(installed: string, name: string, program: string) {
    this.folder = join(installed, `${name}-${process.pid}`);
    this.#name = name;
    mkdirSync(this.folder);
    writeFileSync(this.#file('ts'), program);
    writeFileSync(this.#file('package.json'), '{ "type": "module" }');
  }

  #file(extension: string): string {
    if (extension === 'package.json') return join(this.folder, extension);
    return join(this.folder, `${this.#name}.${extension}`);
  }

  /** What TypeScript has to say about it, strictly; with `dom` as for a page, which has nothing of Node. */
  problems(place: 'node' | 'dom'): string {
    const types = join(checkout, 'node_modules/@types');
    const options = {
      ...{ strict: true, noEmit: true, target: 'es2022' },
      ...{ exactOptionalPropertyTypes: true },
      ...(place === 'node'
        ? {
            skipLibCheck: true,
            module: 'nodenext',
            lib: ['es2023'],
            types: ['node'],
            typeRoots: [types],
          }
        : { module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'dom'], types: [] }),
    };
    const project = { compilerOptions: options, files: [`${this.#name}.ts`] };
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify(project));
    const tsc = join(checkout, 'node_modules/typescript/bin/tsc');
    return run(process.execPath, [tsc, '-p', '.'], this.folder).stdout;
  }

  /** Runs it by Node alone. */
  run(): Ran {
    const esbuild = join(checkout, 'node_modules/esbuild/bin/esbuild');
    const made = [`--outfile=${this.#file('js')}`, '--format=esm', '--log-level=error'];
    succeed(esbuild, [this.#file('ts'), ...made], this.folder);
    return run(process.execPath, [this.#file('js')], this.folder);
  }
}
