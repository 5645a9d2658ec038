import type { HostUser } from '../../lib/host/users.ts';

/** What a job is given and what it may take. */
export interface JobLimits {
  /** Working directory of the parts; default: the runner's. */
  readonly cwd?: string;
  /** Variables set on top of the runner's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long the whole job may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** How much address space each process of the job may take, in bytes. */
  readonly memoryBytes?: number;
  /** How much each part may write to each of its streams, in bytes. */
  readonly maxOutputBytes?: number;
  /** How many processes its user may have (RLIMIT_NPROC). */
  readonly maxProcesses?: number;
  /** Who runs it; default: the runner's user. */
  readonly user?: HostUser;
  /** Added to the scheduling priority (nice(1)). */
  readonly nice?: number;
}
