import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PmanError, systemErrorCode } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { KillRequest, RunnerEvent } from './runner.ts';
import { type FromRunner, lineReader, runnerSocket, type ToRunner } from './runnerProtocol.ts';

export interface RunnerClientOptions {
  /** The folder that holds the jobs' spool folders. */
  readonly spool: string;
  readonly log: Logger;
  readonly onEvent: (event: RunnerEvent) => void;
  /** The runner process has gone: what it ran has to be looked at. */
  readonly onLost: () => void;
}

/** How long a new runner process may take until it can be reached. */
const START_LIMIT_MS = 10_000;

/**
 * The way to the process that runs jobs. It is found when one is there (left by an earlier server), else
 * started at the first need.
 */
export class RunnerClient {
  readonly #options: RunnerClientOptions;
  #socket: Socket | undefined;
  #connecting: Promise<Socket> | undefined;
  #closed = false;

  constructor(options: RunnerClientOptions) {
    this.#options = options;
  }

  /** Connects to a runner that is there already; gives the jobs it runs, or undefined when there is none. */
  async find(): Promise<readonly string[] | undefined> {
    const found = await this.#connect();
    if (found === undefined) return undefined;
    this.#socket = found.socket;
    return found.running;
  }

  /**
   * Has a job run whose spool folder stands.
   * @throws PmanError unavailable when no runner can be started
   */
  async run(folder: string): Promise<void> {
    await this.#send({ do: 'run', folder });
  }

  /** Has a job ended. Nothing happens when it does not run. */
  async kill(folder: string, request: KillRequest): Promise<void> {
    await this.#send({ do: 'kill', folder, request });
  }

  /** Leaves the runner to itself: its jobs go on. */
  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  async #send(order: ToRunner): Promise<void> {
    let socket = this.#socket;
    if (socket === undefined) {
      this.#connecting ??= this.#start().finally(() => {
        this.#connecting = undefined;
      });
      socket = await this.#connecting;
    }
    socket.write(`${JSON.stringify(order)}\n`);
  }

  async #start(): Promise<Socket> {
    const { spool, log } = this.#options;
    mkdirSync(spool, { recursive: true });
    // The socket of a runner that was killed; a living one would have been found.
    rmSync(runnerSocket(spool), { force: true });
    const logFile = openSync(join(spool, 'runner.log'), 'a');
    const child = spawn(process.execPath, [programFile(), spool], {
      detached: true,
      stdio: ['ignore', 'ignore', logFile],
    });
    closeSync(logFile);
    child.on('error', (error) => log.error('cannot start the runner', { error: error.message }));
    child.unref();
    log.debug('runner started', { pid: child.pid });
    const deadline = Date.now() + START_LIMIT_MS;
    while (Date.now() < deadline && child.exitCode === null) {
      const found = await this.#connect();
      if (found !== undefined) {
        this.#socket = found.socket;
        return found.socket;
      }
      await sleep(5);
    }
    throw new PmanError('unavailable', 'the process that runs jobs cannot be started', {
      hint: `see ${join(spool, 'runner.log')}`,
    });
  }

  async #connect(): Promise<{ socket: Socket; running: readonly string[] } | undefined> {
    const { spool, onEvent } = this.#options;
    const socket = createConnection(runnerSocket(spool));
    socket.setEncoding('utf8');
    return new Promise((resolve, reject) => {
      socket.on(
        'data',
        lineReader<FromRunner>((message) => {
          if (message.kind === 'running') resolve({ socket, running: message.folders });
          else onEvent(message);
        }),
      );
      socket.on('error', (error) => {
        const code = systemErrorCode(error);
        if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(undefined);
        else reject(error);
      });
      socket.on('close', () => {
        if (this.#socket !== socket) return;
        this.#socket = undefined;
        if (!this.#closed) this.#options.onLost();
      });
    });
  }
}

/** The runner's program: beside this file, compiled or (under a loader) as source. */
function programFile(): string {
  const compiled = fileURLToPath(new URL('./runnerProcess.js', import.meta.url));
  return existsSync(compiled)
    ? compiled
    : fileURLToPath(new URL('./runnerProcess.ts', import.meta.url));
}
