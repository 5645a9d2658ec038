/** The swarm manager as a library: `import { openSwarm } from 'pman/swarm'`. */

export type { EngineAddress, EngineSettings, EngineTls } from './client/engineAddress.ts';
export { splitCommandLine } from './commandLine.ts';
export { openSwarm, type Service, SwarmManager } from './service/manager.ts';
export type { Limits, Mount, RestartPolicy, ServiceRequest } from './service/serviceSpec.ts';
export {
  causeOf,
  isFinal,
  type JobStatus,
  jobStatusOf,
  type Task,
  type TaskState,
} from './service/task.ts';
