import type { PlatformFacts } from '../../lib/host/facts.ts';
import { readableStamp } from '../../lib/host/stamps.ts';
import type { EndEvent } from '../attached/runCommand.ts';
import type { SshTarget } from '../ssh/ssh.ts';

/** Text too long to hold: its pieces can be read again and again. */
export interface LongText {
  pieces(): AsyncIterable<string>;
}

/** Python's `platform.uname()`: a tuple in JSON, a name and its fields when Python shows it. */
export interface Uname {
  readonly uname: readonly (readonly [field: string, value: string])[];
}

export type EntryValue = string | number | boolean | Uname | LongText;
export type JobEntry = ReadonlyMap<string, EntryValue>;

export interface EntryContext {
  readonly jid: string;
  readonly auid: string;
  readonly host: PlatformFacts;
  readonly ssh: SshTarget | undefined;
}

/** The original's record of a job that has ended, key by key in its order. */
export function jobEntry(
  end: EndEvent,
  stdout: LongText,
  stderr: LongText,
  { jid, auid, host, ssh }: EntryContext,
): JobEntry {
  const { system, machine, platform, version } = host;
  const entry: readonly (readonly [string, EntryValue])[] = [
    ['cmd', end.cmd],
    ...(auid === '' ? [] : [['auid', auid] as const]),
    ...(jid === '' ? [] : [['jid', jid] as const]),
    ['done', true],
    ['started', false],
    ['startTrigger', true],
    ['eventFunctionDone', false],
    ...Object.entries({ system, machine, platform }),
    ['uname', unameOf(host)],
    ['version', version],
    ['startstamp', readableStamp(end.startedAt.getTime())],
    ...sshEntries(end, ssh),
    ['endstamp', readableStamp(end.endedAt.getTime())],
    ['doneTrigger', true],
    ['pid', end.pid],
    ['returncode', end.returncode],
    ['stdout', stdout],
    ['stderr', stderr],
  ];
  return new Map(entry);
}

function sshEntries(
  { remotePid }: EndEvent,
  ssh: SshTarget | undefined,
): readonly (readonly [string, EntryValue])[] {
  if (ssh === undefined) return [];
  return [
    ['pid_remote', remotePid ?? 0],
    ['remoteHost', ssh.host],
    ['remoteUser', ssh.user],
    ...(ssh.port === undefined ? [] : [['remotePort', ssh.port] as const]), // else ssh's configuration says it
    ['sshInput', ''], // the original has the key and never fills it
  ];
}

function unameOf({ system, node, release, version, machine }: PlatformFacts): Uname {
  return { uname: Object.entries({ system, node, release, version, machine }) };
}
