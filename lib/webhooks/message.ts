import { createHash } from 'node:crypto';
import type { JobEvent } from '../events/event.ts';
import { portableJson } from '../wire/portableJson.ts';

export interface Message {
  /** The same however often the event is sent, and wherever: receivers know repeats by it. */
  readonly id: string;
  readonly body: string;
}

/** What is sent of an event: the same bytes each time. */
export function messageOfEvent({ seq, time, type, id, jid, auid, data }: JobEvent): Message {
  const digest = createHash('sha256').update(`${seq}\n${time}\n${type}\n${id}`).digest('hex');
  const told = {
    seq,
    id,
    ...(jid === undefined ? {} : { jid }),
    ...(auid === undefined ? {} : { auid }),
    ...data,
  };
  return {
    id: `evt_${digest.slice(0, 32)}`,
    body: portableJson({ type: `job.${type}`, timestamp: time, data: told }),
  };
}
