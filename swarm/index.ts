/** The swarm manager as a library: `import { openSwarm } from 'pman/swarm'`. */

export { type ErrorCode, PmanError, UsageError } from '../lib/errors.ts';
export type { Limits, Mount } from '../lib/jobs/container/engine.ts';
export { splitIntoWords as splitCommandLine } from '../lib/jobs/container/words.ts';
export type { LogMethods } from '../lib/log.ts';
export type { EngineAddress, EngineSettings, EngineTls } from './client/engineAddress.ts';
export { openSwarm, type Service, SwarmManager } from './service/manager.ts';
export type { RestartPolicy, ServiceRequest } from './service/serviceSpec.ts';
export {
  causeOfTask as causeOf,
  isFinal,
  type JobStatus,
  jobStatusOf,
  type Task,
  type TaskState,
} from './service/task.ts';
