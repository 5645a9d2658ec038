import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Child, type Exit, type Output } from './child.ts';
import { eventually } from './eventually.ts';
import { type Answer, type RequestOptions, request, type SendOptions, Wire } from './http.ts';
import { killMarked, MARK, type ProcessInfo, processesMarked, signal } from './processes.ts';
import { register } from './scope.ts';
import { tempDir } from './tempDir.ts';

/** The checkout; jest and the npm scripts run there. */
export const checkout = process.cwd();

/**
 * The command that runs one of the built programs, the file that `package.json` names; with PMAN_TEST_BIN set, the
 * executable of that name in that folder (to hold the tests themselves against another build, or against the originals).
 */
export function builtProgram(name: string): readonly string[] {
  const folder = process.env.PMAN_TEST_BIN;
  if (folder) return [join(folder, name)];
  return [process.execPath, join(checkout, 'dist/bin', `${name}.cjs`)];
}

/** The places one server uses; hand them to another server to let it find what the first one left. */
export interface Folders {
  readonly root: string;
  readonly DBpath: string;
  readonly directiveFile: string;
  readonly home: string;
  /** Working directory of the server. */
  readonly cwd: string;
}

export interface StartOptions {
  /** Program and leading arguments; the built pman when left out. */
  readonly command?: readonly string[];
  /** Flags behind those that startServer adds; a flag given again wins. */
  readonly flags?: readonly string[];
  /** Replaces the flags that startServer adds (for servers that are not pman). */
  readonly ownFlags?: (folders: Folders, port: number) => readonly string[];
  /** Added to this process's environment; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly folders?: Folders;
  /** 0 (default): the server chooses and announces its port. */
  readonly port?: number;
  /** What shows that it serves; default: it answers hello, with whatever status. */
  readonly isReady?: (port: number) => Promise<boolean>;
  /** How long it may take to be ready, in ms. */
  readonly readyMs?: number;
}

/** New folders for one server, removed at the end of the test (or file). */
export function makeFolders(root = tempDir()): Folders {
  const folders = {
    root,
    DBpath: join(root, 'db'),
    directiveFile: join(root, 'd_msg.json'),
    home: join(root, 'home'),
    cwd: join(root, 'cwd'),
  };
  mkdirSync(folders.home);
  mkdirSync(folders.cwd);
  return folders;
}

const pmanFlags = (folders: Folders, port: number): readonly string[] => [
  ...['--ip', '127.0.0.1', '--port', String(port)],
  ...['--DBpath', folders.DBpath, '--directiveFile', folders.directiveFile],
];

async function answersHello(port: number): Promise<boolean> {
  const body = { payload: { action: 'hello', meta: { askAbout: 'timestamp' } } };
  return (await request(port, 'POST', '/api/v1/cmd', { body, timeoutMs: 1000 })).status > 0;
}

let started = 0;

/** A server program and everything it starts. */
export class TestServer {
  readonly folders: Folders;
  readonly #options: StartOptions;
  readonly #mark: string;
  #child: Child;
  #port = 0;

  /** Starts the process; `ready()` waits until it serves. */
  constructor(options: StartOptions) {
    this.#options = options;
    this.folders = options.folders ?? makeFolders();
    started += 1;
    this.#mark = `${process.pid}-${started}`;
    register({ left: () => this.#left(), dispose: () => killMarked(this.#mark) });
    this.#child = this.#spawn(options.flags);
  }

  #spawn(flags: readonly string[] = []): Child {
    const { command = builtProgram('pman'), ownFlags = pmanFlags, port = 0, env } = this.#options;
    return new Child([...command, ...ownFlags(this.folders, port), ...flags], {
      cwd: this.folders.cwd,
      env: { ...process.env, HOME: this.folders.home, ...env, [MARK]: this.#mark },
    });
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it wrote since its last start. */
  get output(): Output {
    return this.#child.output;
  }

  /** Settles when the process ends. */
  get exited(): Promise<Exit> {
    return this.#child.exited;
  }

  get isRunning(): boolean {
    return this.#child.exit === undefined;
  }

  /** Processes that this server started and that still run, at any depth, detached ones too. */
  children(): ProcessInfo[] {
    return processesMarked(this.#mark).filter(({ pid }) => pid !== this.pid);
  }

  /** Waits until it serves; throws with the end of its stderr when it does not. */
  async ready(): Promise<void> {
    const { isReady = answersHello, readyMs = 20_000, port = 0 } = this.#options;
    const lastWords = () => this.output.stderr.slice(-400);
    try {
      await eventually(
        async () => {
          if (!this.isRunning) return true;
          this.#port = port === 0 ? this.#announcedPort() : port;
          return this.#port > 0 && (await isReady(this.#port));
        },
        { timeoutMs: readyMs, message: 'the server to answer' },
      );
    } catch (cause) {
      await this.kill9();
      throw new Error(`the server does not answer: ${lastWords()}`, { cause });
    }
    const exit = this.#child.exit;
    if (exit) {
      throw new Error(`the server ended at start (${exit.signal ?? exit.code}): ${lastWords()}`);
    }
  }

  #announcedPort(): number {
    return Number(/listening on \S+:(\d+)/.exec(this.output.stderr)?.[1] ?? 0);
  }

  /** Asks it to end (SIGTERM) and waits; kills it and throws when it does not end in time. */
  async stop(timeoutMs = 60_000): Promise<Exit> {
    if (!this.isRunning) return this.exited;
    this.#child.kill('SIGTERM');
    const exit = await this.#child.within(timeoutMs);
    if (exit.signal === 'SIGKILL') {
      throw new Error(`the server did not end within ${timeoutMs} ms of SIGTERM`);
    }
    return exit;
  }

  /** Ends the server process, and nothing else, without warning. */
  kill9(): Promise<Exit> {
    this.#child.kill('SIGKILL');
    return this.exited;
  }

  /** Ends every process that this server started and that outlives it. */
  endJobs(): void {
    for (const { pid } of this.children()) signal(pid, 'SIGKILL');
  }

  /** Stops it if it runs and starts it again on the same folders; its port may change. */
  async restart(flags = this.#options.flags): Promise<void> {
    if (this.isRunning) await this.stop();
    this.#child = this.#spawn(flags);
    await this.ready();
  }

  request(method: string, path: string, options?: RequestOptions): Promise<Answer> {
    return request(this.#port, method, path, options);
  }

  /** Sends `{"payload": {action, meta}}` and gives the parsed reply. */
  async post(
    action: string,
    meta: object,
    options?: Omit<RequestOptions, 'body'>,
  ): Promise<Record<string, unknown>> {
    const body = { payload: { action, meta } };
    const answer = await this.request('POST', '/api/v1/cmd', { ...options, body });
    return answer.json() as Record<string, unknown>;
  }

  /** Writes bytes on a connection of its own and gives the answer, null when it closes without. */
  async raw(
    bytes: string | Uint8Array,
    { timeoutMs, ...options }: SendOptions & { readonly timeoutMs?: number } = {},
  ): Promise<Answer | null> {
    const wire = await Wire.open(this.#port);
    try {
      await wire.send(bytes, options);
      return await wire.answer(timeoutMs === undefined ? {} : { timeoutMs });
    } finally {
      wire.destroy();
    }
  }

  #left(): string | undefined {
    const running = processesMarked(this.#mark);
    if (running.length === 0) return undefined;
    return running.map(({ pid, command }) => `${pid} ${command.slice(0, 100)}`).join(', ');
  }
}

/** Starts a server with folders of its own and waits until it answers. Stop it before the test ends. */
export async function startServer(options: StartOptions = {}): Promise<TestServer> {
  const server = new TestServer(options);
  await server.ready();
  return server;
}
