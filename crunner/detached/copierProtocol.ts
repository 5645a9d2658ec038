import type { StreamName } from './outputLog.ts';

/**
 * What goes between a runner and the copier of its jobs' outputs: one JSON object a line, over a Unix socket. A part is
 * named by the path that the names of its files begin with, `<spool folder>/<k>`.
 */
export type ToCopier =
  /** The readers of the part's pipes (stdout, stderr) come with this line. */
  | { readonly do: 'copy'; readonly part: string; readonly maxBytes?: number }
  /** To be answered when all that waits in the pipes of a part is in its files. */
  | { readonly do: 'settle'; readonly part: string }
  /** To be answered with the pipes of a part. */
  | { readonly do: 'which'; readonly part: string };

export type FromCopier =
  | { readonly kind: 'settled'; readonly part: string }
  /** What `/proc/<pid>/fd/1` of a process leads to that writes to them; none where the part is not known. */
  | { readonly kind: 'pipes'; readonly part: string; readonly pipes: readonly string[] }
  /** The pipes of a part did not come: the copier has as many files open as it may. To be sent again. */
  | { readonly kind: 'lacking'; readonly part: string }
  /** A stream has reached its limit; what comes of it later is thrown away. */
  | { readonly kind: 'full'; readonly part: string; readonly stream: StreamName };
