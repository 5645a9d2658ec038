/**
 * Has this process go on when nobody reads what it says, or the disk that takes it is full: a pipe whose reader has ended, a
 * terminal that was closed. Without this the first such line ends it.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
