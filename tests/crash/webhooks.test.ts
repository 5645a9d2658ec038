import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { JobEvent } from '../../lib/events/event.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { Receiver, writeNotifyFile } from '../helpers/receiver.ts';
import { makeFolders, startServer } from '../helpers/startServer.ts';

jest.setTimeout(300_000);

const JOBS = 200;
const KILLS = 4;

describe('a server that is killed while it sends webhooks', () => {
  const open: Array<() => Promise<unknown>> = [];

  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });

  it('has told everything when it has come back, in order, and repeats only under the same id', async () => {
    // Some are not taken the first time: retries are among what is cut off.
    let count = 0;
    const receiver = await Receiver.open(() => {
      count += 1;
      return count % 7 === 0 ? 500 : 200;
    });
    open.push(() => receiver.close());
    const folders = makeFolders();
    const endpoint = `[ENDPOINT all]\nurl = ${receiver.url('/all')}\nevents = accepted, ended\n`;
    const server = await startServer({
      folders,
      flags: [
        ...[
          '--notifyHosts',
          `http://127.0.0.1:${receiver.port}`,
          '--notifyRetry',
          '0.05,0.05,0.1,1,1,1',
        ],
        ...['--notifyFile', writeNotifyFile(folders.home, endpoint), '--maxJobs', '8'],
      ],
    });
    open.push(() => endServer(server));
    const events = ['accepted', 'started', 'part_ended', 'ended'];
    const notify = [{ url: receiver.url('/job'), events }];
    const ids = new Set<string>();
    for (let i = 0; i < JOBS; i += 1) {
      const job = { command: 'true; true', jid: `job-${i}`, notify };
      ids.add((await new ApiClient(server).submit(job)).id);
      if (i % (JOBS / KILLS) === JOBS / KILLS - 10) {
        await server.kill9();
        await server.restart();
      }
    }
    await server.kill9();
    await server.restart();
    const client = new ApiClient(server);
    const log = new Map<number, JobEvent>();
    await eventually(
      async () => {
        const taken = new Set(receiver.received.map(({ path, seq }) => `${path} ${seq}`));
        const { body } = await client.send('GET', '/api/v2/events?limit=1000&type=ended');
        if ((body as { events: JobEvent[] }).events.length < JOBS) return false;
        for (let after = 0; ; ) {
          const page = await client.send('GET', `/api/v2/events?limit=1000&after=${after}`);
          const { events: found, next } = page.body as { events: JobEvent[]; next: number };
          // A job that had to wait for its turn has one more, which nobody has asked for.
          for (const event of found) if (events.includes(event.type)) log.set(event.seq, event);
          if (found.length === 0) break;
          after = next;
        }
        return [...log.values()].every(({ seq, type }) => {
          const isForAll = type === 'accepted' || type === 'ended';
          return taken.has(`/job ${seq}`) && (!isForAll || taken.has(`/all ${seq}`));
        });
      },
      { timeoutMs: 200_000, message: 'every event to be taken' },
    );
    expect(receiver.forged).toEqual([]);
    expect(new Set([...log.values()].map(({ id }) => id))).toEqual(ids);
    // One id for an event, and one event for an id.
    const idOf = new Map<number, string>();
    for (const { seq, id } of receiver.received) {
      expect(idOf.get(seq) ?? id).toBe(id);
      idOf.set(seq, id);
    }
    expect(new Set(idOf.values()).size).toBe(idOf.size);
    // An event comes for the first time behind those that happened before it.
    for (const key of [...[...ids].map((id) => `/job ${id}`), '/all']) {
      const seen = receiver.received.filter(({ path, job }) =>
        path === '/all' ? key === '/all' : key === `/job ${job}`,
      );
      const firsts = [...new Set(seen.map(({ seq }) => seq))];
      expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
    }
  });
});
