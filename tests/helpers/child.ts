import { type ChildProcess, spawn } from 'node:child_process';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** A started program: what it writes and how it ends. A program that cannot start ends with 127. */
export class Child {
  readonly #process: ChildProcess;
  #stdout = '';
  #stderr = '';
  #exit: Exit | undefined;
  /** Settles when it has ended and its output is read to the end or held open by others. */
  readonly exited: Promise<Exit>;

  constructor(
    command: readonly string[],
    options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  ) {
    const [program = process.execPath, ...args] = command;
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#exit ??= { code, signal };
        resolve(this.#exit);
      };
      child.once('error', (error) => {
        this.#stderr += error.message;
        end(127, null);
      });
      child.once('close', end);
      // A job that outlives it may hold its pipes open: do not wait for "close" much longer.
      child.once('exit', (code, signal) => setTimeout(() => end(code, signal), 50));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get output(): Output {
    return { stdout: this.#stdout, stderr: this.#stderr };
  }

  /** How it ended; undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#exit === undefined) this.#process.kill(signal);
  }

  /** Waits for its end; kills it when it takes longer than `timeoutMs` (then the signal is SIGKILL). */
  async within(timeoutMs: number): Promise<Exit> {
    const timer = setTimeout(() => this.kill('SIGKILL'), timeoutMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }
}
