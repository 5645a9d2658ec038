import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../lib/host/processes.ts';
import type { JobLimits } from '../job/jobLimits.ts';
import { type SshConnection, sshArguments } from '../ssh/ssh.ts';
import { isCarried, limitedCommand, newMarker } from '../ssh/sshCommand.ts';
import { SshTranscript } from '../ssh/sshTranscript.ts';
import { takeTurn } from '../ssh/sshTurn.ts';
import { uploadCommand } from '../ssh/sshUpload.ts';
import type { PartStart } from './journal.ts';
import { OutputBounds } from './outputBounds.ts';
import { startShell } from './part.ts';
import { nextStart } from './place.ts';
import { SHELL } from './preparation.ts';
import { partFiles } from './spool.ts';
import { SshPart } from './sshFollow.ts';

/** Where a part runs, and where it is written down. */
export interface SshPartPlace {
  readonly connection: SshConnection;
  /** The spool folder of the job. */
  readonly folder: string;
  readonly part: number;
  /** The most that it may write to each of its streams, in bytes. */
  readonly maxOutputBytes?: number | undefined;
}

/** What is to run there. */
export interface SshPartOrder {
  readonly command: string;
  readonly limits: JobLimits;
  /** The file of this host that it reads as its input. */
  readonly stdin?: string | undefined;
}

/** How often a client is looked at whose runner is gone, in milliseconds. */
const POLL_MS = 100;

/**
 * Starts a part on another host: an ssh client of its own, which writes both streams to files and so needs nobody but
 * itself to go on.
 * @throws the system's error when the client cannot be started, SshError for a command that it cannot carry
 */
export async function startSshPart(
  place: SshPartPlace,
  { command, limits, stdin }: SshPartOrder,
): Promise<SshPart> {
  const { out, err, ssh } = partFiles(place.folder, place.part);
  const marker = newMarker();
  const { host, port } = place.connection.target;
  const endTurn = await takeTurn(`${host} ${port ?? ''}`);
  try {
    const carried = isCarried(command, limits)
      ? command
      : await uploadCommand(place.connection, command).loader;
    const args = sshArguments(place.connection, limitedCommand(carried, limits, marker));
    const transcript = SshTranscript.create(ssh, err, marker);
    // The shell looks for ssh, and says so when there is none.
    const argv = [SHELL, '-c', 'exec ssh "$@"', SHELL, ...args];
    const { openFiles } = nextStart();
    const client = await startShell({
      ...{ argv, env: process.env, out, err: ssh },
      ...(stdin === undefined ? {} : { in: stdin }),
      ...(openFiles === undefined ? {} : { openFiles }),
    });
    const exited = client.ended.then(({ returncode }) => returncode ?? undefined);
    const part = new SshPart(place.connection, client, { transcript, exited, ...boundsOf(place) });
    void part.begun.then(endTurn);
    return part;
  } catch (error) {
    endTurn();
    throw error;
  }
}

/**
 * Goes on with a part whose runner is gone; undefined when the client's words are not there any more. What its client
 * has written and goes on to write says how it ends.
 */
export function resumeSshPart(place: SshPartPlace, start: PartStart): SshPart | undefined {
  const { err, ssh } = partFiles(place.folder, place.part);
  const transcript = SshTranscript.open(ssh, err);
  if (transcript === undefined) return undefined;
  const watch = async () => {
    while (isAlive(start)) await sleep(POLL_MS);
    return undefined;
  };
  return new SshPart(place.connection, start, {
    ...{ transcript, exited: watch() },
    ...boundsOf(place),
  });
}

function boundsOf({ folder, part, maxOutputBytes }: SshPartPlace) {
  if (maxOutputBytes === undefined) return {};
  const { out, err } = partFiles(folder, part);
  return { bounds: new OutputBounds({ stdout: out, stderr: err }, maxOutputBytes) };
}
