import type { PmanConfig } from '../config/pman.ts';
import type { ServerLimits } from '../dialects/v2/index.ts';

/** What clients are told of the limits that a server was started with. */
export function limitsIn({
  maxJobs,
  maxBodyBytes,
  killGraceMs,
  jobs,
  retention: { ageMs, count, bytes },
}: Pick<
  PmanConfig,
  'maxJobs' | 'maxBodyBytes' | 'killGraceMs' | 'jobs' | 'retention'
>): ServerLimits {
  return {
    jobsAtOnce: maxJobs,
    bodyBytes: maxBodyBytes,
    graceSeconds: killGraceMs / 1000,
    job: {
      memoryBytes: jobs.memoryBytes ?? null,
      cpus: jobs.cpus ?? null,
      processes: jobs.maxProcesses ?? null,
      outputBytes: jobs.maxOutputBytes ?? null,
    },
    kept: {
      seconds: ageMs === undefined ? null : ageMs / 1000,
      jobs: count ?? null,
      bytes: bytes ?? null,
    },
  };
}
