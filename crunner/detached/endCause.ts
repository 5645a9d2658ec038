import { constants } from 'node:os';
import type { GroupEvents } from '../../lib/host/controlGroups.ts';
import type { LeftProcess } from '../../lib/host/processTree.ts';
import type { EnforcedLimits } from '../job/enforced.ts';
import type { KillRequest } from '../job/killRequest.ts';
import type { PartExit } from './part.ts';

/**
 * In words, why a part ended; undefined when it ended by itself.
 * @param killed the order to end its job, if there was one
 * @param left what that could not end
 */
export function endCause(
  exit: PartExit,
  killed: KillRequest | undefined,
  isOverSsh: boolean,
  left?: readonly LeftProcess[],
): string | undefined {
  const name = signalOf(exit, isOverSsh && killed !== undefined);
  if (killed !== undefined) {
    const ended = `${killed.cause} (${name ?? killed.signal})${leftWords(left)}`;
    return exit.cause === undefined ? ended : `${ended}; ${exit.cause}`;
  }
  return exit.cause ?? (name === undefined ? undefined : `killed by ${name}`);
}

/** How many of the processes are named that could not be ended. */
const MAX_NAMES = 10;

/** What a cause says of processes that could not be ended; nothing when there are none. */
export function leftWords(left: readonly LeftProcess[] = []): string {
  if (left.length === 0) return '';
  const names = left.slice(0, MAX_NAMES).map(({ pid, name }) => `${pid} (${name})`);
  const more = left.length > MAX_NAMES ? ` and ${left.length - MAX_NAMES} more` : '';
  return `; could not be ended and still run: ${names.join(', ')}${more}`;
}

/** An exit with its cause, where the control group of the job tells one. */
export function limitCause(
  exit: PartExit,
  { memory, processes }: EnforcedLimits = {},
  { oomKills, refused }: GroupEvents,
): PartExit {
  if (exit.cause !== undefined || exit.returncode === 0) return exit;
  if (oomKills > 0) {
    const its = memory === undefined ? '' : `: its limit is ${amountText(memory.bytes)}`;
    return { ...exit, cause: `the job ran out of memory${its}` };
  }
  if (refused > 0 && processes !== undefined) {
    return { ...exit, cause: `the job wanted more processes than its limit of ${processes.count}` };
  }
  return exit;
}

const MEBI = 1024 * 1024;
const amountText = (bytes: number) => (bytes % MEBI === 0 ? `${bytes / MEBI}Mi` : `${bytes} bytes`);

/** A remote shell says 128 + n for signal n, which a command may also exit with by itself. */
function signalOf({ returncode }: PartExit, isByShell: boolean): string | undefined {
  if (returncode === null) return undefined;
  if (returncode < 0) return signalName(-returncode);
  return isByShell && returncode > 128 ? signalName(returncode - 128) : undefined;
}

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `signal ${number}`;
}
