import type { Enforcer } from '../../crunner/job/enforced.ts';
import type { GroupPlace } from '../host/controlGroups.ts';

/** What holds jobs of this host to each kind of limit. */
export interface Enforcers {
  readonly memory: Enforcer;
  readonly cpu: Enforcer;
  readonly processes: Enforcer;
}

/** @param place where control groups can be made; undefined: nowhere */
export function enforcersOf(place: GroupPlace | undefined): Enforcers {
  const controllers = place?.controllers ?? [];
  return {
    memory: controllers.includes('memory') ? 'cgroup' : 'rlimit',
    cpu: controllers.includes('cpu') ? 'cgroup' : 'affinity',
    processes: controllers.includes('pids') ? 'cgroup' : 'rlimit',
  };
}
