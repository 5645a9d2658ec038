import { openSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';

/**
 * A file that takes lines for as long as the disk does. What it refuses (it is full) is lost, and the next line that it takes
 * says how much: a program goes on without its log.
 * @param mode the rights of a file that is made; the umask takes its part
 * @throws the system's error when the file cannot be opened
 */
export function logFile(path: string, mode: number): Writable {
  const fd = openSync(path, 'a', mode);
  let lost = 0;
  let isTorn = false;
  return new Writable({
    decodeStrings: true,
    write: (line: Buffer, _encoding, done) => {
      // A line of which the disk took a part is ended first.
      const begin = isTorn ? '\n' : '';
      const note = lost === 0 ? '' : `${lost} lines are missing here: the disk did not take them\n`;
      const bytes = Buffer.concat([Buffer.from(begin + note), line]);
      let written = 0;
      try {
        while (written < bytes.length) written += writeSync(fd, bytes, written);
        lost = 0;
        isTorn = false;
      } catch {
        // Whatever it is: there is no other place to say it.
        lost += 1;
        if (written > 0) isTorn = true;
      }
      done();
    },
  });
}
