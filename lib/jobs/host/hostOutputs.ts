import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readOutput } from '../../../crunner/detached/outputExcerpt.ts';
import { outputLogFile, readOutputLog } from '../../../crunner/detached/outputLog.ts';
import { partFiles, placeNow, readSpool } from '../../../crunner/detached/spool.ts';
import type { TreeNode } from '../../tree/node.ts';
import type { OutputAsked, PartReport } from '../backend.ts';
import { hostView } from '../jobView.ts';
import { bytesOf, type OutputPiece, type PartOutputs, type TimedPiece } from '../outputPieces.ts';
import { progressOf } from '../progress.ts';
import { outputShare } from './poller.ts';

export interface HostOutputsOptions {
  /** The folder of the spool folders, one for each job. */
  readonly spool: string;
  /** How much of each output a record holds, in bytes. */
  readonly outputLimitBytes: number;
}

interface LiveOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** How often a followed output is looked at for more, in milliseconds. */
const FOLLOW_POLL_MS = 100;

/** What the jobs of this host have written, as the spool has it; what has no file any more is taken from the record. */
export class HostOutputs {
  readonly #options: HostOutputsOptions;

  constructor(options: HostOutputsOptions) {
    this.#options = options;
  }

  /** The parts of a job with their outputs; of one that runs, with what these are so far. */
  parts(root: string, record: TreeNode, isActive: boolean): readonly PartReport[] {
    const live = isActive ? this.#live(root) : [];
    const { entries, returncodes } = progressOf(record);
    return entries.map((entry, k) => ({
      cmd: entry.cmd ?? '',
      exitCode: returncodes[k] ?? null,
      stdout: entry.stdout ?? live[k]?.stdout ?? '',
      stderr: entry.stderr ?? live[k]?.stderr ?? '',
      cause: entry.cause ?? null,
    }));
  }

  /** The pieces that make up an output now. */
  pieces(root: string, record: TreeNode, { stream, part }: OutputAsked): readonly OutputPiece[] {
    const { entries } = progressOf(record);
    const parts = part === undefined ? entries.keys() : [part];
    return [...parts].map((k) => {
      const file = this.#file(root, k, stream);
      const stat = statSync(file, { throwIfNoEntry: false });
      if (stat !== undefined) return { file, bytes: stat.size };
      const kept = entries[k]?.[stream];
      const text = Buffer.from(typeof kept === 'string' ? kept : '');
      return { text, bytes: text.length };
    });
  }

  /** Where the outputs of each part are. */
  places(root: string, record: TreeNode, isActive: boolean): readonly PartOutputs[] {
    const { entries, returncodes } = progressOf(record);
    const folder = this.#folder(root);
    return entries.map((entry, k) => {
      const place = (stream: 'stdout' | 'stderr') => {
        const file = this.#file(root, k, stream);
        const kept = entry[stream];
        const isInRecord = typeof kept === 'string' && kept !== '' && !existsSync(file);
        return isInRecord ? { text: Buffer.from(kept) } : { file };
      };
      return {
        ...{ stdout: place('stdout'), stderr: place('stderr') },
        ...{ log: outputLogFile(folder, k), hasEnded: !isActive || k < returncodes.length },
      };
    });
  }

  /**
   * What a part has written to both streams, in the order in which it came in.
   * @param isActive whether the job may go on; else what it wrote was seen by its end at the latest
   */
  timed(root: string, record: TreeNode, part: number, isActive: boolean): readonly TimedPiece[] {
    const endedAt = hostView(record).parts[part]?.endedAt ?? (isActive ? Date.now() : undefined);
    const chunks = readOutputLog(this.#folder(root), part, endedAt);
    return chunks.map((chunk) => ({ ...chunk, file: this.#file(root, part, chunk.stream) }));
  }

  /**
   * An output from its beginning, or from where it was asked for, and what comes, until the job has ended.
   * @param recordOf the record as it is now
   */
  async *follow(
    root: string,
    asked: OutputAsked,
    {
      recordOf,
      isActive,
      signal,
    }: {
      readonly recordOf: () => TreeNode;
      readonly isActive: () => boolean;
      readonly signal: AbortSignal;
    },
  ): AsyncGenerator<Buffer> {
    // Of each piece: a process that an earlier part has left behind may still write.
    const sent: number[] = [];
    let skip = asked.from ?? 0;
    for (;;) {
      // Asked before the look at the files: what is written before the end is seen.
      const active = isActive();
      for (const [k, piece] of this.pieces(root, recordOf(), asked).entries()) {
        const from = sent[k] ?? Math.min(skip, piece.bytes);
        skip -= sent[k] === undefined ? from : 0;
        yield* bytesOf([piece], from, piece.bytes);
        sent[k] = piece.bytes;
      }
      if (!active || signal.aborted) return;
      await sleep(FOLLOW_POLL_MS, undefined, { ref: false });
    }
  }

  /** What the parts of a job that has not ended have written so far, in order, as its record would hold it. */
  #live(root: string): readonly LiveOutput[] {
    const folder = this.#folder(root);
    const state = readSpool(folder);
    if (state === undefined) return [];
    const limitBytes = outputShare(this.#options.outputLimitBytes, state.request.parts.length);
    return state.parts.map((_, part) => {
      const files = partFiles(folder, part);
      return {
        stdout: readOutput(files.out, limitBytes).text,
        stderr: readOutput(files.err, limitBytes).text,
      };
    });
  }

  /** Also when somebody has moved all of them meanwhile. */
  #folder(root: string): string {
    return placeNow(join(this.#options.spool, root));
  }

  /** The file that holds the whole output of a part; it may be missing. */
  #file(root: string, part: number, stream: 'stdout' | 'stderr'): string {
    const files = partFiles(this.#folder(root), part);
    return stream === 'stdout' ? files.out : files.err;
  }
}
