/** The swarm manager as a library: `import { openSwarm } from 'pman/swarm'`. */
export { splitCommandLine } from './commandLine.ts';
export type { EngineAddress, EngineSettings, EngineTls } from './engineAddress.ts';
export { openSwarm, type Service, SwarmManager } from './manager.ts';
export type { Limits, Mount, RestartPolicy, ServiceRequest } from './serviceSpec.ts';
export {
  causeOf,
  isFinal,
  type JobStatus,
  jobStatusOf,
  type Task,
  type TaskState,
} from './task.ts';
