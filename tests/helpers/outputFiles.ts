import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PartOutputs } from '../../lib/jobs/outputPieces.ts';
import { tempDir } from './tempDir.ts';

/** The output files of one part, written as the copier writes them. */
export class OutputFiles {
  readonly #folder = tempDir();
  readonly #sizes = { stdout: 0, stderr: 0 };
  #clock = Date.parse('2026-01-01T00:00:00Z');
  hasEnded = false;

  get outputs(): PartOutputs {
    const file = (name: string) => ({ file: join(this.#folder, name) });
    const log = join(this.#folder, '0.log');
    return { stdout: file('0.out'), stderr: file('0.err'), log, hasEnded: this.hasEnded };
  }

  /** Says something; a second later than the last time. */
  say(stream: 'stdout' | 'stderr', text: string | Uint8Array, isLogged = true): void {
    const place = this.outputs[stream];
    if (!('file' in place)) return;
    appendFileSync(place.file, text);
    this.#sizes[stream] += Buffer.byteLength(text);
    this.#clock += 1000;
    if (!isLogged) return;
    const line = JSON.stringify([this.#clock, stream, this.#sizes[stream]]);
    appendFileSync(join(this.#folder, '0.log'), `${line}\n`);
  }

  /** The beginning of a line of the log that is being written. */
  cutLog(): void {
    appendFileSync(join(this.#folder, '0.log'), '[17');
  }

  /** Ends the part, without a log. */
  static ended(stdout: string | Uint8Array, stderr = ''): OutputFiles {
    const files = new OutputFiles();
    writeFileSync(join(files.#folder, '0.out'), stdout);
    writeFileSync(join(files.#folder, '0.err'), stderr);
    files.hasEnded = true;
    return files;
  }
}
