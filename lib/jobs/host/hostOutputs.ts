import { join } from 'node:path';
import { readOutput } from '../../../crunner/detached/outputExcerpt.ts';
import { type OutputChunk, readOutputLog } from '../../../crunner/detached/outputLog.ts';
import { partFiles, readSpool } from '../../../crunner/detached/spool.ts';
import { outputShare } from './poller.ts';

export interface LiveOutput {
  readonly stdout: string;
  readonly stderr: string;
}

export interface JobOutputsOptions {
  /** The folder of the spool folders, one for each job. */
  readonly spool: string;
  /** How much of each output a record holds, in bytes. */
  readonly outputLimitBytes: number;
}

/** What the jobs of this host have written, as the spool has it. */
export class JobOutputs {
  readonly #options: JobOutputsOptions;

  constructor(options: JobOutputsOptions) {
    this.#options = options;
  }

  /** What the sub-jobs of a job that has not ended have written so far, in order, as its record would hold it. */
  live(root: string): readonly LiveOutput[] {
    const folder = join(this.#options.spool, root);
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

  /** The file that holds the whole output of a sub-job; it may be missing. */
  file(root: string, part: number, stream: 'stdout' | 'stderr'): string {
    const files = partFiles(join(this.#options.spool, root), part);
    return stream === 'stdout' ? files.out : files.err;
  }

  /** What a sub-job has written, in the order in which it came in. `endedAt`: when it ended, in milliseconds since 1970. */
  chunks(root: string, part: number, endedAt: number): readonly OutputChunk[] {
    return readOutputLog(join(this.#options.spool, root), part, endedAt);
  }
}
