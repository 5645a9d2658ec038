import { constants } from 'node:os';
import type { KillRequest } from '../job/killRequest.ts';
import type { PartExit } from './part.ts';

/**
 * In words, why a part ended; undefined when it ended by itself.
 * @param killed the order to end its job, if there was one
 */
export function endCause(
  exit: PartExit,
  killed: KillRequest | undefined,
  isOverSsh: boolean,
): string | undefined {
  const name = signalOf(exit, isOverSsh && killed !== undefined);
  if (killed !== undefined) {
    const ended = `${killed.cause} (${name ?? killed.signal})`;
    return exit.cause === undefined ? ended : `${ended}; ${exit.cause}`;
  }
  return exit.cause ?? (name === undefined ? undefined : `killed by ${name}`);
}

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
