import { PmanError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { terminalText } from '../terminalText.ts';
import { AuditFile, type MissingEntries } from './auditFile.ts';
import type { Caller } from './caller.ts';
import type { Program } from './scopes.ts';

/** Of those who are not let in, one each so often is written: they must not push out what was done. */
const REFUSED_EVERY_MS = 1000;
const MAX_TEXT = 300;
const MAX_JOBS = 20;

/** What somebody did, or wanted to do. */
export interface Deed {
  readonly program: Program;
  readonly action: string;
  /** The caller; undefined for one who was not let in. */
  readonly caller: Pick<Caller, 'name' | 'from'>;
  /** HTTP status of the answer. */
  readonly status: number;
  /** The code of the error, when it went wrong. */
  readonly error?: string | undefined;
  /** Job roots that it was about. */
  readonly jobs?: readonly string[] | undefined;
  readonly jid?: string | undefined;
  readonly auid?: string | undefined;
  /** What was read: a path without its query; where files went or came from. */
  readonly path?: string | undefined;
  /** Of files that were moved. */
  readonly bytes?: number | undefined;
}

/** Where it is written who did what. */
export interface Audit {
  /** Whether deeds go nowhere: then they need not be made. */
  readonly isSilent?: boolean;
  write(deed: Deed): void;
  /** Somebody was not let in. */
  refused(deed: Deed): void;
  close(): void;
}

/** Writes nothing. */
export const NO_AUDIT: Audit = {
  isSilent: true,
  write: () => undefined,
  refused: () => undefined,
  close: () => undefined,
};

export interface AuditOptions {
  readonly file: string;
  /** A file that has become as large is put aside. Bytes. */
  readonly maxBytes: number;
  readonly log: Logger;
}

/**
 * Opens the audit log: lines of JSON in a file that this user alone may read. It holds no header, no command and no
 * environment, so no secrets. A line is with the system before its request is answered.
 * @throws UsageError when it cannot be written
 */
export function openAudit({ file, maxBytes, log }: AuditOptions): Audit {
  const onFailing = (reason: string) => log.error('the audit log cannot be written', { reason });
  const lines = new AuditFile({ file, maxBytes, onFailing });
  let refusedAt = Number.NEGATIVE_INFINITY;
  let leftOut = 0;
  let program: Program | undefined;
  const noteOf = ({ count, sinceMs }: MissingEntries) =>
    JSON.stringify({
      time: new Date().toISOString(),
      program,
      entriesMissing: count,
      since: new Date(sinceMs).toISOString(),
    });
  const append = (deed: Deed, refusals?: number) => {
    ({ program } = deed);
    return lines.append(lineOf(deed, refusals), noteOf);
  };
  return {
    write: (deed) => void append(deed),
    refused(deed) {
      const now = performance.now();
      if (now - refusedAt < REFUSED_EVERY_MS) {
        leftOut += 1;
        return;
      }
      if (append(deed, leftOut)) leftOut = 0;
      refusedAt = now;
    },
    close: () => lines.close(noteOf),
  };
}

function lineOf(deed: Deed, leftOut = 0): string {
  const { program, caller, action, status, error, jobs, jid, auid, path, bytes } = deed;
  // Names are those of clients: nothing of them may command the terminal that shows the file.
  const line = JSON.stringify({
    time: new Date().toISOString(),
    program,
    token: caller.name ?? null,
    from: caller.from.length > 1 ? caller.from : (caller.from[0] ?? null),
    action: cut(action),
    ...(jobs === undefined ? {} : { jobs: jobs.slice(0, MAX_JOBS) }),
    ...(jobs !== undefined && jobs.length > MAX_JOBS ? { jobCount: jobs.length } : {}),
    ...(jid === undefined ? {} : { jid: cut(jid) }),
    ...(auid === undefined ? {} : { auid: cut(auid) }),
    ...(path === undefined ? {} : { path: cut(path) }),
    ...(bytes === undefined ? {} : { bytes }),
    status,
    ...(error === undefined ? {} : { error }),
    ...(leftOut === 0 ? {} : { refusalsLeftOut: leftOut }),
  });
  return terminalText(line);
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

/** The code of what went wrong, as an answer tells it. */
export function codeOf(error: unknown): string {
  return error instanceof PmanError ? error.code : 'internal';
}
