import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { systemErrorCode } from '../../lib/errors.ts';
import { type GroupLeader, signalGroupOf } from '../../lib/host/processes.ts';
import { streamFor } from '../command/descriptor.ts';
import type { Surroundings } from '../command/surroundings.ts';
import {
  clientOptions,
  remoteCommand,
  SSH_FAILED,
  type SshConnection,
  SshError,
  sshArguments,
  sshFailure,
  sshTargetText,
} from '../ssh/ssh.ts';
import { newMarker } from '../ssh/sshCommand.ts';
import { remoteKillCommand } from '../ssh/sshReach.ts';
import { type RemoteProcess, type SshPiece, SshRecordReader } from '../ssh/sshRecords.ts';
import type { AttachedPart, StartedPart } from './local.ts';
import type { PartStdio, StreamTarget } from './stdio.ts';
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
): AttachedPart {
  const marker = newMarker();
  const args = sshArguments(connection, remoteCommand(cmd, marker));
  const client = execa('ssh', args, {
    ...clientOptions(where),
    ...{ buffer: false, stdio: [streamFor(stdin), streamFor(stdout), 'pipe'] },
  });
  const exited = client.then(({ exitCode, cause }) => {
    if (client.pid !== undefined) return exitCode;
    const code = systemErrorCode(cause);
    throw Object.assign(new Error(`cannot start the ssh client: ${code}`, { cause }), { code });
  });
  exited.catch(() => undefined); // a client that cannot be started: `follow` comes to it later
  const session = new SshSession(connection, client, stderr);
  const ended = session.follow(client.stderr, new SshRecordReader(marker), exited);
  const started = new Promise<StartedPart>((resolve, reject) => {
    session.onStart = resolve;
    ended.catch(reject);
  });
  started.catch(() => undefined); // `ended` says it too
  return {
    ...{ started, ended, kill: (signal) => session.kill(signal, where) },
    // What is left there is the host's.
    endRest: async () => undefined,
  };
}

/** One connection with its command: what is known of it so far. */
class SshSession {
  readonly #connection: SshConnection;
  readonly #client: GroupLeader;
  readonly #stderr: StreamTarget;
  #preamble = '';
  #remote: RemoteProcess | undefined;
  #returncode: number | undefined;
  /** Settles when the last order to stop the command has been given. */
  #stopping: Promise<void> = Promise.resolve();
  onStart: (part: StartedPart) => void = () => undefined;

  constructor(connection: SshConnection, client: GroupLeader, stderr: StreamTarget) {
    this.#connection = connection;
    this.#client = client;
    this.#stderr = stderr;
  }

  /** Passes the remote stderr on until the connection closes; resolves to the command's exit code. */
  async follow(
    stderr: Readable,
    reader: SshRecordReader,
    exited: Promise<number | undefined>,
  ): Promise<number> {
    for await (const chunk of stderr) {
      for (const piece of reader.push(chunk)) await this.#take(piece);
    }
    for (const piece of reader.end()) await this.#take(piece);
    const exit = await exited;
    const { target } = this.#connection;
    if (this.#remote === undefined) {
      throw sshFailure(target, this.#preamble, exit ?? SSH_FAILED);
    }
    if (this.#returncode !== undefined) return this.#returncode;
    // Its record does not get through when the reader of stdout has left, and the other stream with it.
    if (exit === undefined || exit === SSH_FAILED) {
      throw new SshError('lost', `lost the connection to ${sshTargetText(target)} before the end`);
    }
    return exit;
  }

  /**
   * Signals all of the remote command over a connection of its own, as the client has no way to do it;
   * before the command runs, or when that connection fails, the client itself. A command that is stopped has a client that
   * is: it neither reads nor shows anything.
   */
  kill(signal: NodeJS.Signals, where: Surroundings): void {
    const remote = this.#remote;
    if (remote === undefined) {
      signalGroupOf(this.#client, signal);
      return;
    }
    signalGroupOf(this.#client, signal === 'SIGSTOP' ? signal : 'SIGCONT');
    if (signal === 'SIGSTOP') this.#stopping = this.#tell(remote, signal, where);
    else void this.#stopping.then(() => this.#tell(remote, signal, where));
  }

  async #tell(remote: RemoteProcess, signal: NodeJS.Signals, where: Surroundings): Promise<void> {
    const args = sshArguments(this.#connection, remoteKillCommand(remote, signal));
    const { exitCode } = await execa('ssh', args, { ...clientOptions(where), stdio: 'ignore' });
    if (exitCode !== 0) signalGroupOf(this.#client, signal);
  }

  async #take(piece: SshPiece): Promise<void> {
    switch (piece.kind) {
      case 'pid':
        return this.#begin(piece.remote);
      case 'end':
        this.#returncode = piece.returncode;
        return;
      case 'text':
        if (this.#remote !== undefined) await this.#passOn(piece.text);
        else this.#preamble = (this.#preamble + piece.text.toString()).slice(-MAX_PREAMBLE);
    }
  }

  async #begin(remote: RemoteProcess): Promise<void> {
    this.#remote = remote;
    const { pid } = this.#client;
    if (pid !== undefined) this.onStart({ pid, remotePid: remote.pid });
    // A banner, or a warning of the client about host keys: for the user, not part of the output.
    await writeFd(2, Buffer.from(this.#preamble));
  }

  async #passOn(text: Buffer): Promise<void> {
    if (this.#stderr === 'ignore') return;
    await writeFd(this.#stderr === 'inherit' ? 2 : this.#stderr, text);
  }
}
