import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NewEvent } from '../../../../lib/events/event.ts';
import { EventLog, type EventLogOptions } from '../../../../lib/events/eventLog.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const opened: EventLog[] = [];
function open(folder: string, options: Partial<EventLogOptions> = {}): EventLog {
  const log = new EventLog({ folder, ...options });
  opened.push(log);
  return log;
}
afterEach(() => {
  for (const log of opened.splice(0)) log.close();
});

const some = (count: number, id = 'a'): readonly NewEvent[] =>
  Array.from({ length: count }, () => ({ type: 'started', id }) as const);

/** All numbers behind one, read to the end. */
function numbers(log: EventLog, after = log.oldest - 1): readonly number[] {
  const found: number[] = [];
  for (let seq = after; ; ) {
    const events = log.readAfter(seq, 7);
    if (events.length === 0) return found;
    found.push(...events.map(({ event }) => event.seq));
    seq = events.at(-1)?.event.seq ?? seq;
  }
}

const upTo = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const filesOf = (folder: string) => readdirSync(folder).sort();
const lastFile = (folder: string) => join(folder, filesOf(folder).at(-1) ?? '');

describe('EventLog', () => {
  it('gives each event the next number, also after a restart', () => {
    const folder = tempDir();
    const first = open(folder);
    first.append(some(3));
    first.close();
    const second = open(folder);
    expect(second.newest).toBe(3);
    second.append([{ type: 'ended', id: 'b', jid: 'j', data: { state: 'failed' } }]);
    expect(numbers(second)).toEqual([1, 2, 3, 4]);
    expect(second.readAfter(3)[0]?.event).toMatchObject({
      ...{ seq: 4, type: 'ended', id: 'b', jid: 'j', data: { state: 'failed' } },
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
    });
  });

  it('has an event on the disk, readable as a line of JSON, before it tells of it', async () => {
    const folder = tempDir();
    const log = open(folder);
    const end = new AbortController();
    const told = log.follow(0, end.signal).next();
    log.append(some(1));
    const { value } = await told;
    expect(readFileSync(lastFile(folder), 'utf8')).toBe(`${value?.[0]?.line}\n`);
    end.abort();
  });

  it('gives every event once and in order, wherever files end and whatever is in memory', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 5 }),
        (batches, fileBytes, recent, restartEvery) => {
          const folder = tempDir();
          let log = open(folder, { fileBytes, recent });
          let total = 0;
          for (const [i, count] of batches.entries()) {
            log.append(some(count, 'x'.repeat(i)));
            total += count;
            if (restartEvery > 0 && i % restartEvery === 0) {
              log.close();
              log = open(folder, { fileBytes, recent });
            }
          }
          expect(numbers(log)).toEqual(upTo(1, total));
          for (const after of [0, 1, Math.floor(total / 2), total]) {
            expect(numbers(log, after)).toEqual(upTo(after + 1, total));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('goes on behind the last whole line when a crash has cut its file anywhere', () => {
    const folder = tempDir();
    open(folder).append(some(5));
    const whole = readFileSync(lastFile(folder));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length }), (length) => {
        writeFileSync(lastFile(folder), whole);
        truncateSync(lastFile(folder), length);
        const left = whole.subarray(0, length).toString().split('\n').length - 1;
        const log = open(folder);
        expect(log.newest).toBe(left);
        log.append(some(1));
        expect(numbers(log)).toEqual(upTo(1, left + 1));
        log.close();
      }),
    );
  });

  it('takes garbage behind the last event away', () => {
    const folder = tempDir();
    open(folder).append(some(2));
    appendFileSync(lastFile(folder), '\0\0\0{"seq":\n{}\n');
    const log = open(folder);
    log.append(some(1));
    expect(numbers(log)).toEqual([1, 2, 3]);
  });

  it('keeps what is young and fits, and says which number to go on with', () => {
    let now = Date.parse('2026-11-01T00:00:00Z');
    const folder = tempDir();
    const log = open(folder, {
      ...{ fileBytes: 200, recent: 1, maxBytes: 100_000, maxAgeMs: 1000 },
      now: () => now,
    });
    for (let i = 0; i < 10; i += 1) log.append(some(10));
    now += 5000;
    log.append(some(1));
    log.prune();
    expect(log.newest).toBe(101);
    expect(log.oldest).toBeGreaterThan(90);
    expect(numbers(log)).toEqual(upTo(log.oldest, 101));
    expect(() => log.readAfter(5)).toThrow(
      expect.objectContaining({
        code: 'gone',
        hint: `look at the jobs anew, and go on after ${log.oldest - 1}`,
      }),
    );
  });

  it('takes no more room than it is given, but for the file that is written to', () => {
    const folder = tempDir();
    const log = open(folder, { fileBytes: 1000, maxBytes: 5000, recent: 1 });
    for (let i = 0; i < 100; i += 1) {
      log.append(some(5));
      log.prune();
    }
    const bytes = filesOf(folder).reduce(
      (sum, name) => sum + readFileSync(join(folder, name)).length,
      0,
    );
    expect(bytes).toBeLessThanOrEqual(6500);
    expect(log.newest).toBe(500);
  });

  it('goes on with its numbers after all old files were removed', () => {
    const folder = tempDir();
    const log = open(folder, { fileBytes: 1, maxBytes: 1 });
    log.append(some(3));
    log.append(some(3));
    log.prune();
    log.close();
    expect(open(folder).newest).toBe(6);
  });

  it('refuses a number that it has not given out', () => {
    const log = open(tempDir());
    log.append(some(2));
    expect(() => log.readAfter(3)).toThrow(expect.objectContaining({ code: 'gone' }));
  });
});

describe('follow', () => {
  /** Reads until it has seen a number. */
  async function until(log: EventLog, last: number, after = 0): Promise<readonly number[]> {
    const end = new AbortController();
    const seen: number[] = [];
    for await (const events of log.follow(after, end.signal)) {
      seen.push(...events.map(({ event }) => event.seq));
      if ((seen.at(-1) ?? 0) >= last) end.abort();
    }
    return seen;
  }

  it('gives what was there and what comes, each once, to many at once', async () => {
    const log = open(tempDir(), { recent: 4, fileBytes: 500 });
    log.append(some(20));
    const readers = [0, 5, 19, 20].map(async (after) => {
      expect(await until(log, 300, after)).toEqual(upTo(after + 1, 300));
    });
    for (let i = 0; i < 28; i += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      log.append(some(10));
    }
    await Promise.all(readers);
  });

  it('lets a slow reader go on from the disk, and holds up nobody', async () => {
    const log = open(tempDir(), { recent: 2, fileBytes: 2000 });
    const end = new AbortController();
    const slow = log.follow(0, end.signal);
    log.append(some(1));
    const seen: number[] = [];
    const take = async () => {
      const { value } = await slow.next();
      for (const { event } of value ?? []) seen.push(event.seq);
    };
    await take();
    for (let i = 0; i < 100; i += 1) log.append(some(10));
    while ((seen.at(-1) ?? 0) < 1001) await take();
    expect(seen).toEqual(upTo(1, 1001));
    end.abort();
  });

  it('ends when the log is closed', async () => {
    const log = open(tempDir());
    const following = until(log, 1);
    log.close();
    expect(await following).toEqual([]);
  });
});
