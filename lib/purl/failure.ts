import { certificateFault, WRONG_DATE_HINT } from '../certificateFault.ts';
import { PmanError } from '../errors.ts';
import { SourceError } from '../transfer/sourceError.ts';

/**
 * Why purl could not do what it was asked to, and the status it ends with. The numbers are curl's
 * where curl has one.
 */
export const EXIT_CODES = {
  refused: 1,
  /** Both paths were looked at, and one is not there or not what it has to be. */
  wrongPath: 1,
  usage: 2,
  badTarget: 3,
  proxy: 5,
  resolve: 6,
  connect: 7,
  transfer: 8,
  /** What was asked for there is no longer what it was. */
  changed: 8,
  partial: 18,
  httpStatus: 22,
  localWrite: 23,
  localRead: 26,
  timeout: 28,
  tls: 35,
  redirects: 47,
  badAnswer: 52,
  checksum: 79,
  interrupted: 130,
} as const;

/** What can be done about those of which the message alone does not say it. */
const HINTS: Readonly<Partial<Record<keyof typeof EXIT_CODES, string>>> = {
  badTarget: 'an address is [http[s]://]host[:port][/path]',
  proxy: 'see --httpProxy: [http://][user:password@]host:port',
  resolve: 'name another host with --http',
  connect: 'is the server running? --http names another one',
  timeout: '--timeout and --connectTimeout give it more time',
  badAnswer: '--http has to name a pman or pfioh, and its scheme (http or https)',
  checksum: 'what arrived is not what was sent: send it again',
  partial: 'send it again; with --resume it goes on from where it stopped',
};

/** What helps when a certificate is not believed. */
function certificateHint(cause: unknown): string | undefined {
  switch (certificateFault(cause)) {
    case 'date':
      return WRONG_DATE_HINT;
    case 'name':
      return 'name the server by a name that its certificate has';
    case 'unknown':
      return '--cacert FILE names certificates to believe';
    case undefined:
      return undefined;
  }
}

export type FailureKind = keyof typeof EXIT_CODES;

/** An operation that did not work out; its message says what was being done and what came instead. */
export class PurlFailure extends Error {
  readonly kind: FailureKind;
  /** The same as `kind`, under the name that it has in every error of ours. */
  readonly code: FailureKind;

  /** What the user can do about it, as a sentence; undefined where the message says it. */
  get hint(): string | undefined {
    return this.kind === 'tls' ? certificateHint(this.cause) : HINTS[this.kind];
  }

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PurlFailure';
    this.kind = kind;
    this.code = kind;
  }
}

type Kinds = Readonly<Partial<Record<PmanError['code'], FailureKind>>>;

const PULL_KINDS: Kinds = {
  storage: 'localWrite',
  forbidden: 'localWrite',
  name_too_long: 'localWrite',
  not_found: 'localRead',
};

/** A push fails here for what cannot be sent: a name that is not UTF-8, a pipe, a device. */
const PUSH_KINDS: Kinds = {
  storage: 'localWrite',
  forbidden: 'localRead',
  not_found: 'localRead',
  bad_request: 'localRead',
  name_too_long: 'localRead',
};

/** Any expected error of a push or pull as a failure with an exit status; others are thrown again. */
export function transferFailure(error: unknown, verb: 'push' | 'pull'): PurlFailure {
  if (error instanceof PurlFailure) return error;
  if (!(error instanceof PmanError)) throw error;
  if (error instanceof SourceError)
    return new PurlFailure('localRead', error.message, { cause: error });
  const kind = (verb === 'pull' ? PULL_KINDS : PUSH_KINDS)[error.code];
  return new PurlFailure(kind ?? 'transfer', error.message, { cause: error });
}
