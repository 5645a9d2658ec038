import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { eventPage, eventStream } from '../../../../../lib/dialects/v2/eventStream.ts';
import { eventsQuerySchema } from '../../../../../lib/dialects/v2/eventsQuerySchema.ts';
import { EventLog } from '../../../../../lib/events/eventLog.ts';
import { OutputGrowth } from '../../../../../lib/events/outputGrowth.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

const commandOf = () => undefined;

it('a stream whose reader is too slow ends with the reason and the number to go on after', async () => {
  const events = new EventLog({
    ...{ folder: join(tempDir(), 'events'), maxBytes: 1, fileBytes: 1, recent: 1 },
  });
  const growth = new OutputGrowth({ look: () => [] });
  const add = (id: string) => events.append([{ type: 'accepted', id }]);
  add('a');
  const query = eventsQuerySchema.parse({});
  const signal = new AbortController().signal;
  const { stream } = eventStream({ events, growth, commandOf }, 0, query, 'sse', signal);
  const reader = stream?.[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let text = '';
  while (!text.includes('"id":"a"')) text += String((await reader.next()).value);
  for (const id of ['b', 'c', 'd', 'e']) add(id);
  events.prune();
  for (let turn = await reader.next(); turn.done !== true; turn = await reader.next()) {
    text += String(turn.value);
  }
  expect(text).toContain('event: dropped\ndata: {');
  expect(text).toMatch(/"status":410.*go on after \d/);
  events.close();
});

it('a page of which no event fits goes through all of them in turns with other work', async () => {
  const events = new EventLog({ folder: join(tempDir(), 'events'), recent: 1 });
  for (let i = 0; i < 200; i += 1) {
    events.append(Array.from({ length: 200 }, () => ({ type: 'accepted', id: 'a' }) as const));
  }
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const query = eventsQuerySchema.parse({ jid: 'another' });
  const page = await eventPage({ events, commandOf }, 0, query, new AbortController().signal);
  isOver = true;
  expect(page).toEqual({ events: [], next: 40_000 });
  expect(turns).toBeGreaterThan(3);
  events.close();
});

it('a page that waits for the first event ends in time, also when memory is cleared meanwhile', async () => {
  const events = new EventLog({ folder: join(tempDir(), 'events') });
  const query = eventsQuerySchema.parse({ wait: '1s' });
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const timer = setInterval(collect, 100);
  try {
    const page = await eventPage({ events, commandOf }, 0, query, new AbortController().signal);
    expect(page).toEqual({ events: [], next: 0 });
  } finally {
    clearInterval(timer);
    events.close();
  }
});
