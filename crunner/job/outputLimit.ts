/**
 * Why a job was ended of which a part wrote more to a stream than it may.
 * @param part its number
 */
export function overrunCause(limitBytes: number | undefined, stream: string, part: string): string {
  return `more than ${limitBytes} bytes on ${stream} of sub-job ${part}`;
}

/** Whether a cause says so. */
export function isOverrun(cause: string): boolean {
  return /^more than \S+ bytes on (stdout|stderr) of sub-job /.test(cause);
}
