import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../../helpers/child.ts';
import { eventually } from '../../helpers/eventually.ts';
import { killMarked, MARK, processesMarked } from '../../helpers/processes.ts';
import { register } from '../../helpers/scope.ts';
import { builtProgram } from '../../helpers/startServer.ts';
import { sandboxed } from './sandbox.ts';
import type { Places, Program } from './seedRequest.ts';

let started = 0;

/** A program under attack, in a sandbox, with folders that it may use and folders that nobody may reach. */
export class Target {
  readonly folder: string;
  readonly places: Places;
  readonly #child: Child;
  readonly #mark: string;
  readonly #program: Program;
  #port = 0;

  private constructor(program: Program) {
    this.#program = program;
    this.folder = mkdtempSync(join(tmpdir(), 'pman-fuzz-'));
    this.places = { store: join(this.folder, 'store'), outside: join(this.folder, 'outside') };
    this.#lay();
    started += 1;
    this.#mark = `fuzz-${process.pid}-${started}`;
    register({ left: () => this.#left(), dispose: () => this.#clear() });
    const command = [...builtProgram(program), ...this.#flags()];
    this.#child = new Child(sandboxed(this.folder, command), {
      cwd: join(this.folder, 'cwd'),
      env: {
        ...process.env,
        ...{ [MARK]: this.#mark, NODE_OPTIONS: '--unhandled-rejections=strict' },
        DOCKER_HOST: `unix://${join(this.folder, 'no-engine.sock')}`,
      },
    });
  }

  /** Starts it and waits until it listens. */
  static async start(program: Program): Promise<Target> {
    const target = new Target(program);
    await eventually(
      () => {
        if (target.ended !== undefined) throw new Error(target.log.slice(-500));
        target.#port = Number(/listening on \S+:(\d+)/.exec(target.log)?.[1] ?? 0);
        return target.#port > 0;
      },
      { timeoutMs: 30_000, message: `${program} to listen` },
    );
    return target;
  }

  #lay(): void {
    const { store, outside } = this.places;
    for (const path of [
      'cwd',
      'jobs',
      'store',
      'store/seed',
      'store/in',
      'outside',
      'outside/tree',
    ]) {
      mkdirSync(join(this.folder, path));
    }
    writeFileSync(join(store, 'seed/a.txt'), 'hello\n');
    writeFileSync(join(outside, 'precious'), 'precious\n');
    writeFileSync(join(outside, 'tree/secret-canary'), 'secret-canary\n');
    symlinkSync(outside, join(store, 'out-link'));
    symlinkSync(join(outside, 'new'), join(store, 'dangling'));
    symlinkSync('..', join(store, 'in/up'));
  }

  #flags(): readonly string[] {
    const { folder, places } = this;
    if (this.#program === 'pfioh') {
      const flags = ['--port', '0', '--forever', '--createDirsAsNeeded', '--maxUnpack', '4M'];
      return [...flags, '--storeBase', places.store];
    }
    return [
      ...['--port', '0', '--DBpath', join(folder, 'db'), '--exportPath', places.store],
      ...['--directiveFile', join(folder, 'd.json'), '--listeners', '2', '--maxJobs', '8'],
      ...['--keepJobs', '40', '--DBsavePeriod', '2', '--killGrace', '1'],
    ];
  }

  get port(): number {
    return this.#port;
  }

  /** What it wrote. */
  get log(): string {
    return this.#child.output.stdout + this.#child.output.stderr;
  }

  /** How it ended; undefined while it runs. */
  get ended(): string | undefined {
    const { exit } = this.#child;
    return exit === undefined ? undefined : `exit code ${exit.code}, signal ${exit.signal}`;
  }

  /** The process of the program itself, without the sandbox around it. */
  get pid(): number {
    const found = processesMarked(this.#mark).find(({ command }) =>
      new RegExp(`^\\S*node\\S* .*/${this.#program}\\.js `).test(command),
    );
    return found?.pid ?? 0;
  }

  get residentMib(): number {
    return statusNumber(this.pid, 'VmRSS') / 1024;
  }

  get openFiles(): number {
    return this.pid === 0 ? 0 : readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** What is in the folders that nobody may change, and what has come beside them. */
  outsideNow(): string {
    const own = /^(?:store|db|db\.spool|tmp|dev|jobs|d\.json.*)$/;
    const beside = readdirSync(this.folder).filter((name) => !own.test(name));
    const { outside } = this.places;
    const files = ['precious', 'tree/secret-canary'].map((name) => {
      const path = join(outside, name);
      return `${name}: ${readFileSync(path, 'utf8')}`;
    });
    const all = ['outside', 'cwd'].flatMap((name) =>
      readdirSync(join(this.folder, name), { recursive: true }).map((path) => `${name}/${path}`),
    );
    return JSON.stringify([beside.sort(), all.sort(), files]);
  }

  /** Removes what pushes have left in the store. */
  tidy(): void {
    for (const name of readdirSync(this.places.store)) {
      if (!['seed', 'in', 'out-link', 'dangling'].includes(name)) this.#remove(name);
    }
    for (const name of readdirSync(join(this.places.store, 'in'))) {
      if (name !== 'up') this.#remove(join('in', name));
    }
  }

  #remove(name: string): void {
    try {
      rmSync(join(this.places.store, name), { recursive: true, force: true, maxRetries: 2 });
    } catch (error) {
      // The server is writing there; the next round removes it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    }
  }

  async stop(): Promise<void> {
    killMarked(this.#mark);
    await this.#child.exited;
    await eventually(() => processesMarked(this.#mark).length === 0);
    this.#clear();
  }

  #left(): string | undefined {
    const running = processesMarked(this.#mark);
    return running.length === 0 ? undefined : running.map(({ command }) => command).join(', ');
  }

  #clear(): void {
    killMarked(this.#mark);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

function statusNumber(pid: number, name: string): number {
  if (pid === 0) return 0;
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
}
