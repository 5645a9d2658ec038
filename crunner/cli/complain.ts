/** Says in one line on stderr what is wrong; when nobody reads it, the job goes on all the same. */
export function complain(message: string): void {
  // Not before there is something to say: Node takes a while to set the stream up.
  if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => {});
  process.stderr.write(`crunner: ${message.replace(/[\r\n]+/g, ' ')}\n`);
}
