import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { messageOf, systemErrorCode } from '../../lib/errors.ts';
import { signalGroup } from '../../lib/host/processes.ts';
import { SSH_FAILED, type SshConnection, sshFailure, sshTargetText } from '../ssh/ssh.ts';
import { type EndAnswer, endRemote, passRemote } from '../ssh/sshEnd.ts';
import type { RemoteProcess } from '../ssh/sshRecords.ts';
import type { SshTranscript } from '../ssh/sshTranscript.ts';
import type { PartStart } from './journal.ts';
import type { OutputBounds } from './outputBounds.ts';
import type { StreamName } from './outputLog.ts';
import type { DetachedPart, PartExit } from './part.ts';

/** How often the client's words are looked at, in milliseconds. */
const POLL_MS = 100;
/** How long before a refused write is tried again, in milliseconds. */
const RETRY_MS = 500;
/** How long a client may take to end once its command is known to have been ended, in milliseconds. */
const CLOSE_MS = 2000;
/** How long a command has whose connection was lost, before SIGKILL, in milliseconds. */
const LOST_GRACE_MS = 5000;

/** What is known of the client of a part. */
export interface SshPartSource {
  readonly transcript: SshTranscript;
  /** Resolves when the client has ended, to its exit code where that can be known. */
  readonly exited: Promise<number | undefined>;
  /** How much it may write. */
  readonly bounds?: OutputBounds;
}

/** A part that runs on another host: follows its ssh client to the end. */
export class SshPart implements DetachedPart {
  /** Of the client on this host. */
  readonly pid: number;
  readonly startedAt: number;
  readonly ticks?: string;
  /** Resolves to what runs there once it has begun; to undefined when it did not. */
  readonly begun: Promise<RemoteProcess | undefined>;
  readonly ended: Promise<PartExit>;
  readonly #connection: SshConnection;
  readonly #transcript: SshTranscript;
  readonly #exited: Promise<void>;
  readonly #bounds: OutputBounds | undefined;
  /** Resolves to the stream to which it has written more than it may; never, when it does not. */
  readonly overrun: Promise<StreamName>;
  #tellOverrun: (stream: StreamName) => void = () => undefined;
  #isOver = false;
  /** The client's, where it can be known; below 0: the signal that has ended it. */
  #exitCode: number | undefined;
  /** The client was killed by us. */
  #isCut = false;
  #tellBegun: (remote: RemoteProcess | undefined) => void = () => undefined;

  constructor(
    connection: SshConnection,
    { pid, startedAt, ticks }: PartStart,
    { transcript, exited, bounds }: SshPartSource,
  ) {
    this.pid = pid;
    this.startedAt = startedAt;
    if (ticks !== undefined) this.ticks = ticks;
    this.#connection = connection;
    this.#transcript = transcript;
    this.#bounds = bounds;
    this.overrun = new Promise((resolve) => {
      this.#tellOverrun = resolve;
    });
    this.#exited = exited.then((code) => {
      this.#isOver = true;
      this.#exitCode = code;
    });
    this.begun = new Promise((resolve) => {
      this.#tellBegun = resolve;
    });
    this.ended = this.#follow();
  }

  /** Ends the command on its host, as on this one; what cannot be reached there is given up with its client. */
  async end(signal: NodeJS.Signals, graceMs: number): Promise<readonly []> {
    await this.#end(signal, graceMs);
    return [];
  }

  /** Sends a signal to the command on its host, over a connection of its own. */
  pass(signal: NodeJS.Signals): void {
    void this.begun.then(async (remote) => {
      if (remote !== undefined && !this.#isOver) await passRemote(this.#connection, remote, signal);
    });
  }

  async #end(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    // What a client that is connecting is about to start would be out of reach without it.
    const remote = await Promise.race([this.begun, sleep(graceMs)]);
    if (remote !== undefined) {
      await endRemote(this.#connection, remote, { signal, graceMs });
      await Promise.race([this.#exited, sleep(CLOSE_MS)]);
    }
    if (this.#isOver) return;
    this.#isCut = true;
    signalGroup(this.pid, 'SIGKILL');
  }

  async #follow(): Promise<PartExit> {
    for (;;) {
      const wasOver = this.#isOver;
      const more = await attempt(() => this.#transcript.read());
      const { remote } = this.#transcript;
      if (remote !== undefined) this.#tellBegun(remote);
      const overrun = this.#bounds?.overrun();
      if (overrun !== undefined) this.#tellOverrun(overrun);
      if (more) await turn();
      else if (wasOver) break;
      else await Promise.race([this.#exited, sleep(POLL_MS)]);
    }
    await attempt(() => this.#transcript.end());
    await attempt(() => this.#bounds?.cut());
    this.#tellBegun(this.#transcript.remote);
    return this.#outcome();
  }

  async #outcome(): Promise<PartExit> {
    const { returncode, remote, preamble } = this.#transcript;
    if (returncode !== undefined) return { returncode };
    if (remote !== undefined) return this.#lost(remote);
    const { target } = this.#connection;
    // A client that a signal has ended, by whoever sent it, could not say how far it had come.
    if (this.#exitCode === undefined || this.#exitCode < 0 || this.#isCut) {
      const cause = `ssh to ${sshTargetText(target)} ended before it was known whether the command had begun`;
      return { returncode: null, cause, isLast: true };
    }
    const { message } = sshFailure(target, preamble, this.#exitCode);
    return { returncode: SSH_FAILED, cause: `not run: ${message}`, isLast: true };
  }

  /** Nobody hears any more what the command says: it is not left running where it can be reached. */
  async #lost(remote: RemoteProcess): Promise<PartExit> {
    const answer = await endRemote(this.#connection, remote, {
      ...{ signal: 'SIGTERM', graceMs: LOST_GRACE_MS, isCutOff: true },
    });
    const place = sshTargetText(this.#connection.target);
    const cause = `the connection to ${place} was lost, and with it the exit code; ${fateOf(remote, answer)}`;
    return { returncode: null, cause, isLast: true };
  }
}

function fateOf({ pid }: RemoteProcess, answer: EndAnswer): string {
  switch (answer.kind) {
    case 'ended':
      return `the command there (pid ${pid}) was still running and was ended`;
    case 'gone':
      return `the command there (pid ${pid}) had ended`;
    case 'unreachable':
      return `the host cannot be reached again (${answer.reason}): the command may still run there as pid ${pid}`;
  }
}

/** Tries again while the disk refuses. When the files were removed nobody wants to know any more. */
async function attempt<T>(work: () => T): Promise<T | undefined> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      console.error(`output of a part that runs over ssh: ${messageOf(error)}`);
      await sleep(RETRY_MS);
    }
  }
}
