import type { JobEvent } from '../../events/event.ts';
import type { JobState } from '../../jobs/states.ts';
import type { EventsQuery } from './eventsQuerySchema.ts';

/** What a client asks for, and what it may see. */
export interface EventRequest extends EventsQuery {
  /** Whose jobs alone the caller sees; default: those of all. */
  readonly seenOf?: string;
}

type Asked = Omit<EventRequest, 'after' | 'wait' | 'limit'>;

/** The command line of a job; undefined when there is no such job any more. */
export type CommandOf = (root: string) => string | undefined;

/** Whether an event is one of those that were asked for. */
export function fits(
  asked: Asked,
  commandOf: CommandOf,
): (event: Omit<JobEvent, 'seq'>) => boolean {
  const { type, id, jid, auid, state, backend, label, since, until, seenOf } = asked;
  const text = asked.text?.toLowerCase();
  const commandHas = ({ id: root, data }: Pick<JobEvent, 'id' | 'data'>, wanted: string) => {
    // The event of a removal has it: there is nowhere else to look.
    const command = typeof data?.command === 'string' ? data.command : commandOf(root);
    return command?.toLowerCase().includes(wanted) === true;
  };
  return (event) => {
    const { labels = {}, backend: runsOn = 'host' } = event;
    const becomes = state === undefined ? undefined : stateAfter(event);
    return (
      (type === undefined || type.includes(event.type)) &&
      (id === undefined || event.id === id) &&
      (jid === undefined || event.jid === jid) &&
      (auid === undefined || event.auid === auid) &&
      (seenOf === undefined || event.auid === seenOf) &&
      (backend === undefined || backend.includes(runsOn)) &&
      (since === undefined || Date.parse(event.time) >= since) &&
      (until === undefined || Date.parse(event.time) < until) &&
      (state === undefined || (becomes !== undefined && state.includes(becomes))) &&
      (label ?? []).every((one) => {
        const at = one.indexOf('=');
        const name = one.slice(0, at);
        return Object.hasOwn(labels, name) && labels[name] === one.slice(at + 1);
      }) &&
      (text === undefined || commandHas(event, text))
    );
  };
}

/** The state that a job is in after an event; undefined when that says nothing of it. */
function stateAfter({ type, data }: Pick<JobEvent, 'type' | 'data'>): JobState | undefined {
  switch (type) {
    case 'accepted':
    case 'waiting':
      return 'waiting';
    case 'started':
    case 'part_ended':
    case 'output':
      return 'running';
    case 'ended':
      return data?.state as JobState | undefined;
    case 'kill_ordered':
    case 'removed':
      return undefined;
  }
}
