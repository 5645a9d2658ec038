/** How the cause of a job begins that a client has ended. */
export const KILL_REQUEST = 'ended by a kill request';
