import { readableStamp } from '../../host/stamps.ts';
import { sizeText } from '../../transfer/sizeText.ts';
import type { TransferMessage } from '../transferMessage.ts';
import type { Done } from '../transferOptions.ts';
import type { PullForm } from './pullForm.ts';
import type { StoredPull } from './storePull.ts';

/** What is reported of a pull that arrived. */
export function pullSummary(
  { localPath }: TransferMessage,
  { name, archive, isBase64 }: PullForm,
  stored: StoredPull,
): Done {
  const folder = localPath.replace(/\/$/, '');
  const stamp = { timestamp: readableStamp(Date.now()) };
  const decoded = `${folder}/${name}${archive ? '.zip' : ''}`;
  const decode = { msg: 'Decode successful', fileProcessed: decoded, status: true };
  const done =
    stored.kind === 'unpacked'
      ? {
          unzip: {
            msg: 'unzip operation successful',
            fileProcessed: `${folder}/${name}.zip`,
            status: true,
            path: localPath,
            zipmode: 'r',
            filesize: sizeText(stored.archiveBytes),
            ...stamp,
          },
        }
      : {
          write: {
            file: `${folder}/${stored.name}`,
            status: true,
            msg: 'File written successfully!',
            filesize: sizeText(stored.bytes),
            ...stamp,
          },
        };
  const { msg } = done.unzip ?? done.write;
  const remoteServer = {
    status: true,
    msg: 'PULL successful',
    response: '<truncated>',
    ...stamp,
    size: sizeText(isBase64 ? 4 * Math.ceil(stored.bytes / 3) : stored.bytes),
  };
  const localOp = { ...(isBase64 ? { decode } : {}), ...done };
  return { status: true, msg, report: { compress: { remoteServer, localOp, status: true, msg } } };
}
