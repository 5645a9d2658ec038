import { describe, expect, it } from '@jest/globals';
import { readPmanConfig } from '../../../../lib/config/pman.ts';
import { limitsSchema } from '../../../../lib/dialects/v2/serverLimits.ts';
import { limitsIn } from '../../../../lib/server/limitsIn.ts';

describe('what clients are told of the limits of a server', () => {
  const told = (flags: string) => {
    const asked = readPmanConfig({ argv: flags.split(' ').filter(Boolean), env: {} });
    if (asked.kind !== 'run') throw new Error('these flags start no server');
    return limitsSchema.strict().parse(limitsIn(asked.config));
  };

  it('is each limit that was set, in the unit of its name', () => {
    const own = '--maxJobs 8 --maxBodySize 32 --killGrace 2.5';
    const job = '--maxMemory 1Ki --maxCpu 1.5 --maxProcesses 100 --maxOutput 2';
    expect(told(`${own} ${job} --keepDays 1 --keepJobs 50 --keepSize 3`)).toEqual({
      ...{ jobsAtOnce: 8, bodyBytes: 32 * 1024 ** 2, graceSeconds: 2.5 },
      job: { memoryBytes: 1024, cpus: 1.5, processes: 100, outputBytes: 2 * 1024 ** 2 },
      kept: { seconds: 86_400, jobs: 50, bytes: 3 * 1024 ** 2 },
    });
  });

  it('is null where there is none: nobody has to guess what a member that is missing means', () => {
    const { job, kept } = told('');
    expect(job).toEqual({ memoryBytes: null, cpus: null, processes: null, outputBytes: null });
    expect(kept).toEqual({ seconds: null, jobs: null, bytes: null });
  });
});
