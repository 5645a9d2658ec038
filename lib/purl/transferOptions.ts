import type { FailedEntry } from '../transfer/pack/failedEntry.ts';
import type { Peer, Way } from './peer.ts';
import type { Progress } from './progressBar.ts';
import type { TransferMessage } from './transferMessage.ts';

/** What the command line says about a push, pull or copy. */
export interface TransferOptions {
  readonly way: Way;
  readonly raw: boolean;
  readonly jsonwrapper: string;
  readonly oneShot: boolean;
  readonly resume: boolean;
  /** Speak as pfurl does: the content of folders, `Mode: file`. */
  readonly isPfurl: boolean;
  readonly progress: Progress;
  /** Hears of what the other side could not send of a pull that may do without. */
  readonly onFailed?: ((entry: FailedEntry) => void) | undefined;
}

/**
 * Whether a transfer is one of pfioh 2 and later: the content of a folder, no encoding, `Mode: file`. Before the
 * peer was asked what it is, `kind` is not known.
 */
export function isFileMode(
  { remoteKey }: TransferMessage,
  { isPfurl }: TransferOptions,
  kind?: Peer['kind'],
): boolean {
  return isPfurl || remoteKey !== undefined || kind === 'python2';
}

export type Report = Readonly<Record<string, unknown>>;

/** What became of a push, pull or copy. */
export interface Done {
  readonly status: boolean;
  readonly msg: string;
  /** What the report says of it, by the name of the operation. */
  readonly report: Report;
}
