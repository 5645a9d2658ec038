import { PmanError } from '../errors.ts';
import { readableStamp } from '../host/stamps.ts';
import { type PathState, pathState, provideFolder } from '../transfer/pathState.ts';
import { type FailureKind, PurlFailure, transferFailure } from './failure.ts';
import type { TransferMessage } from './transferMessage.ts';
import type { Report } from './transferOptions.ts';

/** Checks the path on this side; for a pull that says `createDir` a missing folder is made. */
export function checkLocal({ localPath, createDir, verb }: TransferMessage): {
  readonly report: Report;
  readonly failure?: PurlFailure;
} {
  let check: PathState = { status: false, isfile: false, isdir: false };
  let why: string | undefined;
  let kind: FailureKind = 'wrongPath';
  try {
    check = pathState(localPath);
    if (!check.status && verb === 'pull' && createDir) {
      provideFolder(localPath);
      check = pathState(localPath);
    }
  } catch (error) {
    if (!(error instanceof PmanError)) throw error;
    why = error.message;
    if (error.code === 'name_too_long') kind = transferFailure(error, verb).kind;
  }
  if (verb === 'pull' && check.isfile) why = 'It is a file; a pull goes into a folder.';
  const status = check.status && (verb === 'push' || check.isdir);
  const msg = status
    ? 'Check on local path successful.'
    : (why ?? 'The local path spec is invalid!');
  const report = { check, status, timestamp: readableStamp(Date.now()), msg };
  return status ? { report } : { report, failure: new PurlFailure(kind, `${localPath}: ${msg}`) };
}
