/** How the cause of a job begins that a client has ended. */
export const KILL_REQUEST = 'ended by a kill request';

/** Whether a cause says that a client has ended the job. */
export function isKill(cause: string): boolean {
  return cause.startsWith(KILL_REQUEST);
}
