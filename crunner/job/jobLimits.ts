import type { HostUser } from '../../lib/host/users.ts';

/** What a job is given and what it may take. */
export interface JobLimits {
  /** Working directory of the parts; default: the runner's. */
  readonly cwd?: string;
  /** Variables set on top of the runner's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long the whole job may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** How much memory it may take, in bytes: all of it in a control group, else the address space of each process. */
  readonly memoryBytes?: number;
  /** How many processors it may use, and parts of one. */
  readonly cpus?: number;
  /** How much each part may write to each of its streams, in bytes. */
  readonly maxOutputBytes?: number;
  /** How many processes it may have in a control group, else its user (RLIMIT_NPROC). */
  readonly maxProcesses?: number;
  /** Who runs it; default: the runner's user. */
  readonly user?: HostUser;
  /** Added to the scheduling priority (nice(1)). */
  readonly nice?: number;
}
