import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { systemErrorCode } from '../../lib/errors.ts';
import {
  remoteCommand,
  remoteKillCommand,
  SSH_FAILED,
  type SshConnection,
  SshError,
  sshArguments,
  sshFailure,
  sshTargetText,
} from '../ssh/ssh.ts';
import { newMarker } from '../ssh/sshCommand.ts';
import { type SshPiece, SshRecordReader } from '../ssh/sshRecords.ts';
import {
  killGroup,
  type PartStdio,
  type RunningPart,
  type StartedPart,
  type StreamTarget,
  type Surroundings,
} from './local.ts';
import { writeFd } from './writeFd.ts';

/** How much is remembered of what ssh says before the command begins. */
const MAX_PREAMBLE = 64 * 1024;

/**
 * Runs one part on another host through the system's ssh client. `where` is that of the client, not
 * of the command. `started` and `ended` reject with `SshError` when ssh fails and not the command.
 * A remote shell says 128 + n where a local command is ended by signal n, and so does `ended`.
 * `kill` reaches the remote command also after its connection was lost.
 */
export function launchOverSsh(
  connection: SshConnection,
  cmd: string,
  [stdin, stdout, stderr]: PartStdio,
  where: Surroundings,
): RunningPart {
  const marker = newMarker();
  const args = sshArguments(connection, remoteCommand(cmd, marker));
  const child = spawn('ssh', args, { ...where, detached: true, stdio: [stdin, stdout, 'pipe'] });
  const closed = once(child, 'close').catch((cause: unknown) => {
    const code = systemErrorCode(cause);
    throw Object.assign(new Error(`cannot start the ssh client: ${code}`, { cause }), { code });
  });
  closed.catch(() => undefined); // a client that cannot be started: `follow` comes to it later
  if (child.stderr === null) throw new TypeError('ssh was started without a pipe for its stderr');
  const session = new SshSession(connection, child, stderr);
  const ended = session.follow(child.stderr, new SshRecordReader(marker), closed);
  const started = new Promise<StartedPart>((resolve, reject) => {
    session.onStart = resolve;
    ended.catch(reject);
  });
  started.catch(() => undefined); // `ended` says it too
  return { started, ended, kill: (signal) => session.kill(signal, where) };
}

/** One connection with its command: what is known of it so far. */
class SshSession {
  readonly #connection: SshConnection;
  readonly #child: ChildProcess;
  readonly #stderr: StreamTarget;
  #preamble = '';
  #processGroup: number | undefined;
  #returncode: number | undefined;
  /** Settles when the last order to stop the command has been given. */
  #stopping: Promise<void> = Promise.resolve();
  onStart: (part: StartedPart) => void = () => undefined;

  constructor(connection: SshConnection, child: ChildProcess, stderr: StreamTarget) {
    this.#connection = connection;
    this.#child = child;
    this.#stderr = stderr;
  }

  /** Passes the remote stderr on until the connection closes; resolves to the command's exit code. */
  async follow(
    stderr: Readable,
    reader: SshRecordReader,
    closed: Promise<unknown[]>,
  ): Promise<number> {
    for await (const chunk of stderr) {
      for (const piece of reader.push(chunk)) await this.#take(piece);
    }
    for (const piece of reader.end()) await this.#take(piece);
    const [exit] = await closed;
    const { target } = this.#connection;
    if (this.#processGroup === undefined) {
      throw sshFailure(target, this.#preamble, typeof exit === 'number' ? exit : SSH_FAILED);
    }
    if (this.#returncode !== undefined) return this.#returncode;
    // Its record does not get through when the reader of stdout has left, and the other stream with it.
    if (typeof exit !== 'number' || exit === SSH_FAILED) {
      throw new SshError('lost', `lost the connection to ${sshTargetText(target)} before the end`);
    }
    return exit;
  }

  /**
   * Signals the remote process group over a connection of its own, as the client has no way to do it;
   * before the command runs, or when that connection fails, the client itself. A command that is stopped has a client that
   * is: it neither reads nor shows anything.
   */
  kill(signal: NodeJS.Signals, where: Surroundings): void {
    const processGroup = this.#processGroup;
    if (processGroup === undefined) {
      killGroup(this.#child, signal);
      return;
    }
    killGroup(this.#child, signal === 'SIGSTOP' ? signal : 'SIGCONT');
    if (signal === 'SIGSTOP') this.#stopping = this.#tell(processGroup, signal, where);
    else void this.#stopping.then(() => this.#tell(processGroup, signal, where));
  }

  #tell(processGroup: number, signal: NodeJS.Signals, where: Surroundings): Promise<void> {
    const args = sshArguments(this.#connection, remoteKillCommand(processGroup, signal));
    const teller = spawn('ssh', args, { ...where, detached: true, stdio: 'ignore' });
    return new Promise((resolve) => {
      teller
        .once('error', () => {
          killGroup(this.#child, signal);
          resolve();
        })
        .once('exit', (code) => {
          if (code !== 0) killGroup(this.#child, signal);
          resolve();
        });
    });
  }

  async #take(piece: SshPiece): Promise<void> {
    switch (piece.kind) {
      case 'pid':
        return this.#begin(piece.remote.pid, piece.remote.processGroup);
      case 'end':
        this.#returncode = piece.returncode;
        return;
      case 'text':
        if (this.#processGroup !== undefined) await this.#passOn(piece.text);
        else this.#preamble = (this.#preamble + piece.text.toString()).slice(-MAX_PREAMBLE);
    }
  }

  async #begin(remotePid: number, processGroup: number): Promise<void> {
    this.#processGroup = processGroup;
    if (this.#child.pid !== undefined) this.onStart({ pid: this.#child.pid, remotePid });
    // A banner, or a warning of the client about host keys: for the user, not part of the output.
    await writeFd(2, Buffer.from(this.#preamble));
  }

  async #passOn(text: Buffer): Promise<void> {
    if (this.#stderr === 'ignore') return;
    await writeFd(this.#stderr === 'inherit' ? 2 : this.#stderr, text);
  }
}
