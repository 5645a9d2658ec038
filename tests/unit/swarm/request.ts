import type { WorkRequest } from '../../../lib/jobs/container/engine.ts';

/** A request for one worker, but for what is told. */
export function request(more: Partial<WorkRequest> = {}): WorkRequest {
  const owner = { job: 'job-1', instance: 'pman-1', jid: 'jid 1', auid: 'ä' };
  return { name: 'work', image: 'img', cmd: 'echo hi', owner, options: {}, ...more };
}
