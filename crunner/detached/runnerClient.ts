import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { messageOf, PmanError, systemErrorCode } from '../../lib/errors.ts';
import { makeFolder } from '../../lib/host/folders.ts';
import { inheritedVariables } from '../../lib/host/inherited.ts';
import { strangerCheck, strangerWords } from '../../lib/host/strangers.ts';
import type { Logger } from '../../lib/log.ts';
import { streamFor } from '../command/descriptor.ts';
import type { KillRequest } from '../job/killRequest.ts';
import { type JobGroups, ownPlace, type Place } from './place.ts';
import type { RunnerEvent } from './runnerEvent.ts';
import { type FromRunner, lineReader, runnerSocket, type ToRunner } from './runnerProtocol.ts';

export interface RunnerClientOptions {
  /** The folder that holds the jobs' spool folders. */
  readonly spool: string;
  /** The variables that jobs inherit; undefined: those of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly log: Logger;
  readonly onEvent: (event: RunnerEvent) => void;
  /** The runner process has gone: what it ran has to be looked at. */
  readonly onLost: () => void;
  /** Which jobs get control groups; default: none. */
  readonly jobGroups?: JobGroups | undefined;
  /** The file of the runner's program; default: ours. */
  readonly program?: string;
  readonly startLimits?: StartLimits;
}

/** How long somebody waits for a runner, in milliseconds. */
interface StartLimits {
  /** As long as runners end at once that are started; then no runner can be had. */
  readonly endingMs: number;
  /** For one that goes on, until it can be reached: a busy machine has little time for it. */
  readonly slowMs: number;
}

/** What a server needs of the way to its runner. */
export type RunnerLink = Pick<RunnerClient, 'find' | 'reach' | 'run' | 'kill' | 'pass' | 'close'>;

const START_LIMITS: StartLimits = { endingMs: 10_000, slowMs: 60_000 };
/** How long to wait before another one is started in place of one that has ended at once, in milliseconds. */
const RESPAWN_MS = 100;
/** The errors of a connection to a runner that is not there, or no more. */
const NOBODY = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/**
 * The way to the process that runs jobs. It is found when one is there (left by an earlier server), else
 * started at the first need.
 */
export class RunnerClient {
  readonly #options: RunnerClientOptions;
  /** What jobs inherit. */
  readonly #place: Place;
  #socket: Socket | undefined;
  #connecting: Promise<Socket> | undefined;
  #closed = false;

  constructor(options: RunnerClientOptions) {
    this.#options = options;
    const { env, jobGroups } = options;
    this.#place = { ...ownPlace(jobGroups), ...(env && { env: inheritedVariables(env) }) };
  }

  /** Connects to a runner if there is one already. */
  async find(): Promise<void> {
    this.#socket = await this.#connect();
  }

  /**
   * Starts a runner if there is none.
   * @throws PmanError unavailable when no runner can be started
   */
  async reach(): Promise<void> {
    await this.#reached();
  }

  /**
   * Has a job run whose spool folder stands. One that runs already goes on, and one that has begun under a runner which
   * is gone is watched to its end.
   * @throws PmanError unavailable when no runner can be started
   */
  async run(folder: string): Promise<void> {
    await this.#send({ do: 'run', folder });
  }

  /** Has a job ended. Nothing happens when it does not run. */
  async kill(folder: string, request: KillRequest): Promise<void> {
    await this.#send({ do: 'kill', folder, request });
  }

  /** Has a signal sent to a job, which goes on. Nothing happens when it does not run. */
  async pass(folder: string, signal: NodeJS.Signals): Promise<void> {
    await this.#send({ do: 'pass', folder, signal });
  }

  /** Leaves the runner to itself: its jobs go on. */
  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  async #send(order: ToRunner): Promise<void> {
    const socket = await this.#reached();
    // Orders of one turn of the event loop go together.
    socket.cork();
    socket.write(`${JSON.stringify(order)}\n`);
    process.nextTick(() => socket.uncork());
  }

  #reached(): Socket | Promise<Socket> {
    const socket = this.#socket;
    if (socket !== undefined && !socket.destroyed) return socket;
    this.#connecting ??= this.#start().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #start(): Promise<Socket> {
    const { spool, startLimits = START_LIMITS } = this.#options;
    makeFolder(spool, 0o700);
    // A killed server may have started one that was not ready when it was looked for.
    const early = await this.#connect();
    if (early !== undefined) return this.#keep(early);
    let hasEnded = await this.#startProcess();
    const begunAt = performance.now();
    for (;;) {
      const found = await this.#connect();
      if (found !== undefined) return this.#keep(found);
      const ms = performance.now() - begunAt;
      if (ms > (hasEnded() ? startLimits.endingMs : startLimits.slowMs)) break;
      await sleep(5);
      // It could not be started, was killed before it could be reached, or gave way to another one that has ended since.
      if (hasEnded()) {
        await sleep(RESPAWN_MS);
        const other = await this.#connect();
        if (other !== undefined) return this.#keep(other);
        hasEnded = await this.#startProcess();
      }
    }
    throw new PmanError('unavailable', 'the process that runs jobs cannot be started', {
      hint: `see ${join(spool, 'runner.log')}`,
    });
  }

  /**
   * Starts a runner where none can be reached; it is to outlive this process.
   * @returns whether it has ended, or could not be started
   */
  async #startProcess(): Promise<() => boolean> {
    const { spool, log, program = programFile() } = this.#options;
    const { execa } = await import('execa');
    // Of a runner that was killed: where it lies, no other one can listen.
    rmSync(runnerSocket(spool), { force: true });
    const logFile = this.#openLog();
    const runner = execa(process.execPath, [program, spool], {
      ...{ detached: true, cleanup: false, buffer: false, reject: false },
      ...{ env: this.#place.env, extendEnv: false },
      stdio: ['ignore', 'ignore', streamFor(logFile ?? 'ignore')],
    });
    if (logFile !== undefined) closeSync(logFile);
    runner.unref();
    if (runner.pid === undefined)
      log.error('cannot start the runner', { error: messageOf((await runner).cause) });
    else log.debug('runner started', { pid: runner.pid });
    return () => runner.pid === undefined || runner.exitCode !== null || runner.signalCode !== null;
  }

  /** A runner without a log is better than none. */
  #openLog(): number | undefined {
    const { spool, log } = this.#options;
    try {
      return openSync(join(spool, 'runner.log'), 'a', 0o600);
    } catch (error) {
      log.warn('the runner has no log', { error: messageOf(error) });
      return undefined;
    }
  }

  #keep(socket: Socket): Socket {
    this.#socket = socket;
    return socket;
  }

  /** A connection to a runner that answers, or undefined. */
  async #connect(): Promise<Socket | undefined> {
    const { spool, onEvent, log } = this.#options;
    const strangerAt = await strangerCheck();
    const path = runnerSocket(spool);
    const socket = createConnection(path);
    socket.setEncoding('utf8');
    return new Promise((resolve, reject) => {
      socket.on('connect', () => {
        const stranger = strangerAt(socket);
        if (stranger === undefined) return;
        // As if nobody were there: what it says is not read, and a runner of our own takes the name.
        socket.destroy();
        const words = strangerWords(stranger, path);
        if (words !== undefined) log.error(words);
      });
      socket.on(
        'data',
        lineReader<FromRunner>((message) => {
          if (message.kind === 'ready') {
            socket.write(
              `${JSON.stringify({ do: 'serve', place: this.#place } satisfies ToRunner)}\n`,
            );
            resolve(socket);
          } else onEvent(message);
        }),
      );
      socket.on('error', (error) => {
        if (!NOBODY.has(systemErrorCode(error) ?? '')) reject(error);
      });
      socket.on('close', () => {
        resolve(undefined); // a runner that was ending just then
        if (this.#socket !== socket) return;
        this.#socket = undefined;
        if (!this.#closed) this.#options.onLost();
      });
    });
  }
}

/** The runner's program: beside this file, compiled or (under a loader) as source. */
function programFile(): string {
  const compiled = fileURLToPath(new URL('./runnerProcess.cjs', import.meta.url));
  return existsSync(compiled)
    ? compiled
    : fileURLToPath(new URL('./runnerProcess.ts', import.meta.url));
}
