import type { Way } from '../peer.ts';
import { silentProgress } from '../progressBar.ts';
import { parseTransfer, type TransferMessage } from '../transferMessage.ts';
import type { TransferOptions } from '../transferOptions.ts';
import type { TransferShow } from './transferShow.ts';

/** What a folder or file goes through on its way, and who is told. */
export interface FolderWay extends Way {
  readonly show: TransferShow;
  /** How often in a row the other side may not be there. */
  readonly mostTries?: number;
  /** Hears that the other side is there, and keeps what arrives of a transfer that breaks off. */
  readonly onReached?: (() => void) | undefined;
}

/** What of a folder is pulled, as `transport.only` says it. */
export interface PulledOnly {
  readonly tag: string;
  readonly places: string;
  /** That of the list that the places are of: it does, when the tag is another one. */
  readonly shape?: string | undefined;
  /** What cannot be read is told, and the rest comes. */
  readonly goesOn: true;
}

/** A push or pull of content as the messages of purl say it. */
export function folderMessage(
  verb: 'push' | 'pull',
  local: string,
  remote: string,
  only?: PulledOnly,
): TransferMessage {
  const compress = { encoding: 'none', archive: 'zip', unpack: true, cleanup: true };
  const transport = { mechanism: 'compress', compress, ...(only === undefined ? {} : { only }) };
  const meta = { local: { path: local }, remote: { path: remote }, transport };
  const value = { action: `${verb}Path`, meta };
  return parseTransfer({ value, text: JSON.stringify(value) });
}

/** `isPfurl`: the content of a folder, without its name. */
export function folderOptions(way: Way): TransferOptions {
  return {
    way,
    ...{ raw: false, jsonwrapper: '', oneShot: false, resume: false, isPfurl: true },
    progress: silentProgress,
  };
}
