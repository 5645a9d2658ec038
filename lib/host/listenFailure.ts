import { messageOf, systemErrorCode } from '../errors.ts';

/** Why a port cannot be listened on. */
export interface ListenFailure {
  readonly reason: string;
  /** What to do, as a sentence. */
  readonly hint: string;
}

const OTHER_PLACE = 'Name an address of this machine with --ip, or a port that may be used.';

/** The system's refusal of an address or port, in words. */
export function listenFailure(error: unknown): ListenFailure {
  switch (systemErrorCode(error) ?? '') {
    case 'EADDRINUSE':
      return {
        reason: 'the port is in use',
        hint: 'Choose another port, or stop the program that holds this one.',
      };
    case 'EADDRNOTAVAIL':
    case 'ENODEV':
    case 'ENOTFOUND':
      return { reason: 'this machine has no such address', hint: OTHER_PLACE };
    case 'EACCES':
      return { reason: 'permission to use this port is denied', hint: OTHER_PLACE };
    default:
      return { reason: messageOf(error), hint: OTHER_PLACE };
  }
}
