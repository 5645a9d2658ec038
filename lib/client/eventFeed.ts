import type { EventQuery, JobEvent } from '../dialects/v2/shapes.ts';
import { bytesOf } from './bytesOf.ts';
import type { EventsOptions } from './callOptions.ts';
import { type Connection, streamEnded } from './connection.ts';
import { serverSentEvents } from './serverSentEvents.ts';

/** The server says every 15 seconds that it is there: two of these may not be missing. */
const SILENCE_MS = 35_000;

/**
 * What happens to jobs, each change once and in order, for as long as it is read. After a lost connection it goes on
 * behind the last number that it has seen.
 * @throws PmanClientError gone when events are no longer kept that should have come
 */
export async function* followEvents(
  connection: Connection,
  query: EventQuery,
  { signal, onAlive }: EventsOptions,
): AsyncGenerator<JobEvent> {
  let { after } = query;
  const retries = connection.retries(signal);
  for (;;) {
    const answer = await connection.open({
      path: '/events',
      query: { ...query, after },
      headers: { Accept: 'text/event-stream' },
      signal,
    });
    connection.requireStream(answer);
    let failure: unknown;
    try {
      const bytes = bytesOf(answer, { signal, silenceMs: SILENCE_MS, onBytes: onAlive });
      for await (const { id, type, data } of serverSentEvents(bytes)) {
        // This reader was too slow: the next answer says whether it has missed something.
        if (type === 'dropped') break;
        retries.reset();
        if (id !== undefined) after = Number(id);
        if (data !== undefined) yield connection.parsed(data) as JobEvent;
      }
    } catch (error) {
      failure = error;
    }
    await retries.pause(failure ?? streamEnded());
  }
}
