import { accessSync, constants } from 'node:fs';
import { systemErrorCode } from '../errors.ts';

/**
 * Moves a server to `/` when the folder that it was started in is gone, or closed to its user: its jobs and its messages
 * would meet that later. Says whether it had to. Paths of the command line have to be read before.
 */
export function leaveLostFolder(): boolean {
  try {
    accessSync(process.cwd(), constants.X_OK);
    return false;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    process.chdir('/');
    return true;
  }
}

/** What is said then. */
export const LOST_FOLDER =
  'the folder that it was started in is gone, or is closed to this user: it works in /';
