import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EventLog } from '../../../../lib/events/eventLog.ts';
import type { JobView } from '../../../../lib/jobs/jobView.ts';
import { silentLogger } from '../../../../lib/log.ts';
import { JobMeter } from '../../../../lib/metrics/jobMeter.ts';
import { Meter } from '../../../../lib/metrics/meter.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const RUNS: JobView = {
  ...{ command: 'true', isContainer: false, asked: () => ({}), status: 'started', isDone: false },
  ...{ endedAt: null, cause: null, parts: [] },
};

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A log that keeps one event, and what counts jobs by it. */
function counting(active: () => readonly string[], view: (root: string) => JobView | undefined) {
  const folder = join(tempDir(), 'events');
  const events = new EventLog({ folder, maxBytes: 1, fileBytes: 1, recent: 1 });
  const meter = new Meter();
  const options = { meter, events, view, active, after: 0, retryMs: 10, log: silentLogger() };
  const jobMeter = new JobMeter(options);
  ends.push(
    () => jobMeter.close(),
    () => events.close(),
  );
  const accepted = async () => (await meter.jobsAccepted.get()).values[0]?.value;
  const waiting = async () => {
    const text = await meter.registry.getSingleMetricAsString('pman_jobs');
    return Number(/state="waiting"\} (\d+)/.exec(text)?.[1]);
  };
  return { events, accepted, waiting };
}

describe('JobMeter', () => {
  it('goes on when events are gone before it has counted them, and looks at what runs', async () => {
    let active: readonly string[] = [];
    const { events, accepted, waiting } = counting(
      () => active,
      (root) => (active.includes(root) ? { ...RUNS, status: 'notstarted' } : undefined),
    );
    // All of it happens before the meter has a turn, as on a host that is overloaded.
    for (const id of ['a', 'b', 'c', 'd', 'e']) events.append([{ type: 'accepted', id }]);
    events.prune();
    active = ['d', 'e'];
    await eventually(async () => (await waiting()) === 2);
    const before = (await accepted()) ?? 0;
    active = ['d', 'e', 'f'];
    events.append([{ type: 'accepted', id: 'f' }]);
    await eventually(async () => (await accepted()) === before + 1);
    expect(await waiting()).toBe(3);
  });

  it('goes on behind an event that it could not count', async () => {
    let fails = true;
    const { events, accepted } = counting(
      () => [],
      () => {
        if (fails) throw new Error('the disk does not answer');
        return RUNS;
      },
    );
    events.append([{ type: 'accepted', id: 'a' }]);
    await new Promise(setImmediate);
    fails = false;
    events.append([{ type: 'accepted', id: 'b' }]);
    await eventually(async () => (await accepted()) === 1);
  });
});
