import {
  appendFileSync,
  closeSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type RemoteProcess, type SshPiece, SshRecordReader } from './sshRecords.ts';

/** How much is read at a time, so that a flood of output does not hold up the process; in bytes. */
const CHUNK_BYTES = 1024 * 1024;
/** How much is remembered of what ssh says before the command begins, in characters. */
const MAX_PREAMBLE = 64 * 1024;
/** More than the first line has, in bytes. */
const MAX_MARKER = 256;

/**
 * What a part's ssh client writes to its stderr, as a file that needs no reader: `<k>.ssh`, the marker in its first
 * line. Reading it takes the records out and adds what is the command's to `<k>.err`. A process that comes later reads
 * the same again, adds what is missing, and so knows what the one before it knew.
 */
export class SshTranscript {
  readonly #file: string;
  readonly #err: string;
  readonly #reader: SshRecordReader;
  #at: number;
  /** The command's text that is to be added, and where in the whole of it that stands, in bytes. */
  #held: Buffer[] = [];
  #heldAt = 0;
  #preamble = '';
  #remote: RemoteProcess | undefined;
  #returncode: number | undefined;

  private constructor(file: string, err: string, marker: string) {
    this.#file = file;
    this.#err = err;
    this.#reader = new SshRecordReader(marker);
    this.#at = marker.length + 1;
  }

  /**
   * Makes the file of a new part, and the empty one of its error output.
   * @throws the file system's error
   */
  static create(file: string, err: string, marker: string): SshTranscript {
    writeFileSync(file, `${marker}\n`, { mode: 0o600 });
    appendFileSync(err, '', { mode: 0o600 });
    return new SshTranscript(file, err, marker);
  }

  /** That of a part which an earlier process has begun; undefined when the file is gone, or was never made. */
  static open(file: string, err: string): SshTranscript | undefined {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
    const [marker = ''] = readAt(file, 0, MAX_MARKER).toString('latin1').split('\n', 1);
    return new SshTranscript(file, err, marker);
  }

  /** The command on the other host, once it has begun. */
  get remote(): RemoteProcess | undefined {
    return this.#remote;
  }

  /** As the remote shell says it, once the command has ended. */
  get returncode(): number | undefined {
    return this.#returncode;
  }

  /** What ssh has said before the command began. */
  get preamble(): string {
    return this.#preamble;
  }

  /**
   * Takes in some of what is new; says whether there was anything.
   * @throws the file system's error when the text cannot be added; the next call tries again
   */
  read(): boolean {
    this.#addHeld();
    const chunk = readAt(this.#file, this.#at, CHUNK_BYTES);
    if (chunk.length === 0) return false;
    this.#at += chunk.length;
    for (const piece of this.#reader.push(chunk)) this.#take(piece);
    this.#addHeld();
    return true;
  }

  /** Nothing more comes: what was held back is text. What ssh said of a command that never began is its error output. */
  end(): void {
    for (const piece of this.#reader.end()) this.#take(piece);
    if (this.#remote === undefined) this.#held.push(Buffer.from(this.#preamble));
    this.#addHeld();
  }

  #take(piece: SshPiece): void {
    switch (piece.kind) {
      case 'pid':
        this.#remote = piece.remote;
        return;
      case 'end':
        this.#returncode = piece.returncode;
        return;
      case 'text':
        if (this.#remote !== undefined) this.#held.push(Buffer.from(piece.text));
        else this.#preamble = (this.#preamble + piece.text.toString()).slice(-MAX_PREAMBLE);
    }
  }

  #addHeld(): void {
    if (this.#held.length === 0) return;
    const text = Buffer.concat(this.#held);
    this.#held = [text];
    // An earlier reader may have added some of it, or a disk that was filling up may have taken some.
    const size = statSync(this.#err, { throwIfNoEntry: false })?.size ?? 0;
    appendFileSync(this.#err, text.subarray(Math.max(size - this.#heldAt, 0)), {
      mode: 0o600,
    });
    this.#heldAt += text.length;
    this.#held = [];
  }
}

/** At most so many bytes of a file from a place on; empty behind its end. */
function readAt(file: string, at: number, maxBytes: number): Buffer {
  const fd = openSync(file, 'r');
  try {
    const buffer = Buffer.allocUnsafe(Math.min(Math.max(fstatSync(fd).size - at, 0), maxBytes));
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, at));
  } finally {
    closeSync(fd);
  }
}
