import { INPUT_FOLDER, INPUT_NAME } from '../../lib/jobs/container/words.ts';

const BLOCK = 512;

/** An archive (POSIX.1-1988, ustar) with what a container is to read, to be unpacked at its root. Every user may read it. */
export function inputArchive(input: Buffer): Buffer {
  const folder = INPUT_FOLDER.slice(1);
  const padding = Buffer.alloc((BLOCK - (input.length % BLOCK)) % BLOCK);
  return Buffer.concat([
    header(`${folder}/`, { mode: 0o755, bytes: 0, type: '5' }),
    header(`${folder}/${INPUT_NAME}`, { mode: 0o444, bytes: input.length, type: '0' }),
    ...[input, padding, Buffer.alloc(2 * BLOCK)],
  ]);
}

interface Entry {
  readonly mode: number;
  readonly bytes: number;
  readonly type: '0' | '5';
}

/** Of a file or folder of root, with no time. */
function header(name: string, { mode, bytes, type }: Entry): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
  block.write(name, 0, 'latin1');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes, 124, 12);
  octal(0, 136, 12);
  block.write(type, 156, 'latin1');
  block.write('ustar\0' + '00', 257, 'latin1');
  // The sum counts its own field as blanks.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
