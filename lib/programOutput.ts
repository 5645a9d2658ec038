import { hasNoReader } from './errors.ts';

let unread: (() => void) | undefined;

/**
 * Has something else done once, in place of ending this process, when nobody takes its stdout any more.
 * @returns ends that
 */
export function whenUnread(take: () => void): () => void {
  unread = take;
  return () => {
    unread = undefined;
  };
}

/**
 * Has this process end when nobody takes what it writes to stdout: quietly when the reader has gone, as he may any time;
 * else with a word on stderr, such as on a full disk. Nobody has to read stderr.
 * @param name of the program
 * @param code the exit code when stdout cannot be written
 */
export function heedOutput(name: string, code = 1): void {
  let isSaid = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (unread !== undefined) {
      isSaid = true;
      if (!hasNoReader(error)) process.stderr.write(`${name}: cannot write: ${error.message}\n`);
      unread();
      unread = undefined;
    }
    // Each write that fails is told here, and one is enough.
    if (isSaid) return;
    if (hasNoReader(error)) process.exit(0);
    isSaid = true;
    // A terminal that was closed: whoever listens to that signal may hear of it later, or never, and has something to end.
    if (error.code === 'EIO' && process.stdout.isTTY && process.listenerCount('SIGHUP') > 0) {
      process.kill(process.pid, 'SIGHUP');
      return;
    }
    process.stderr.write(`${name}: cannot write: ${error.message}\n`, () => process.exit(code));
  });
  process.stderr.on('error', () => {});
}

/**
 * Ends this process, whatever else it has begun, once all is written that it has said: a pipe takes 64 KiB at once, and
 * the rest at the pace of its reader.
 */
export async function endWhenWritten(code: number): Promise<void> {
  await written(process.stdout);
  // A write that fails is told a turn later, and ends this process otherwise.
  await new Promise((resolve) => setImmediate(resolve));
  await written(process.stderr);
  process.exit(code);
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}
