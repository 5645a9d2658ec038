/** What holds a job to a limit. */
export type Enforcer =
  /** Its control group: all its processes together. */
  | 'cgroup'
  /** setrlimit(2): memory for each process, processes for each user. */
  | 'rlimit'
  /** The processors that it may run on: whole ones, and it may take others if it wants to. */
  | 'affinity';

/** The limits that a part was started with, and what holds it to them; as records show it. */
export interface EnforcedLimits {
  readonly memory?: { readonly bytes: number; readonly by: Enforcer };
  readonly cpu?: { readonly cpus: number; readonly by: Enforcer };
  readonly processes?: { readonly count: number; readonly by: Enforcer };
}
