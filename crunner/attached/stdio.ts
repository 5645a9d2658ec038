/** Where a stream of a part goes: a file descriptor of this process, this process's own, or nowhere. */
export type StreamTarget = number | 'inherit' | 'ignore';

/** stdin, stdout and stderr of a part. */
export type PartStdio = readonly [StreamTarget, StreamTarget, StreamTarget];
