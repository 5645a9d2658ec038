import { basename } from 'node:path';
import type { TransferMessage } from '../transferMessage.ts';

/** What a pull comes as. */
export interface PullForm {
  /** What it is called on the other side. */
  readonly name: string;
  readonly isFileMode: boolean;
  readonly isBase64: boolean;
  readonly archive: boolean;
}

/** `isFolder`: the remote path is a folder, which comes as an archive whatever the message says. */
export function pullForm(
  message: TransferMessage,
  isFileMode: boolean,
  isFolder: boolean,
): PullForm {
  return {
    name: basename(message.remotePath ?? `key-${message.remoteKey}`),
    isFileMode,
    // The later protocol knows no base64, whatever the message says.
    isBase64: message.encoding === 'base64' && !isFileMode,
    archive: message.archive || isFolder || isFileMode,
  };
}
