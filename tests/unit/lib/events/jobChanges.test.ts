import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventLog } from '../../../../lib/events/eventLog.ts';
import { JobChanges, type SeenJob } from '../../../../lib/events/jobChanges.ts';
import { silentLogger } from '../../../../lib/log.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

/** Jobs as the database would show them, and a pman that can be killed. */
class World {
  readonly jobs = new Map<string, SeenJob>();
  readonly #folder = tempDir();
  events: EventLog;
  changes: JobChanges;

  constructor() {
    ({ events: this.events, changes: this.changes } = this.#start());
  }

  /** All that was in memory is gone. */
  restart(): void {
    this.changes.abandon();
    this.events.close();
    ({ events: this.events, changes: this.changes } = this.#start());
  }

  put(root: string, job: Partial<SeenJob>): void {
    const known = this.jobs.get(root) ?? {
      ...{ state: 'waiting', reason: null, isDone: false, started: 0, exitCodes: [] },
    };
    this.jobs.set(root, { ...known, ...job });
    this.changes.changed(root);
  }

  get checkpointFile(): string {
    return join(this.#folder, 'told.json');
  }

  told(): readonly string[] {
    return this.events.readAfter(0, 10_000).map(({ event }) => {
      const { type, id, data = {} } = event;
      return [id, type, ...Object.values(data).map((value) => JSON.stringify(value))].join(' ');
    });
  }

  #start() {
    const events = new EventLog({ folder: join(this.#folder, 'events') });
    const changes = new JobChanges({
      ...{ events, look: (root: string) => this.jobs.get(root), log: silentLogger() },
      checkpointFile: this.checkpointFile,
    });
    return { events, changes };
  }
}

const worlds: World[] = [];
function newWorld(): World {
  const world = new World();
  worlds.push(world);
  return world;
}
afterEach(() => {
  for (const { changes, events } of worlds.splice(0)) {
    changes.abandon();
    events.close();
  }
});

const DONE = { state: 'failed', isDone: true, started: 2, exitCodes: [0, 3] } as const;
const LIFE = [
  ...['a accepted', 'a started 0', 'a part_ended 0 0', 'a started 1', 'a part_ended 1 3'],
  'a ended "failed" null [0,3]',
];

describe('JobChanges', () => {
  it('writes down what it has told when there are twice as many events as jobs, which all are in that', () => {
    const world = newWorld();
    const roots = Array.from({ length: 10_500 }, (_, k) => `job ${k}`);
    for (const root of roots) world.put(root, {});
    world.changes.flush();
    expect(existsSync(world.checkpointFile)).toBe(false);
    for (const root of roots) world.put(root, DONE);
    world.changes.flush();
    expect(existsSync(world.checkpointFile)).toBe(true);
  });

  it('tells each step of a job, in order', () => {
    const world = newWorld();
    world.put('a', {});
    world.changes.flush();
    world.put('a', { state: 'running', started: 1 });
    world.changes.flush();
    world.put('a', DONE);
    world.changes.flush();
    expect(world.told()).toEqual(LIFE);
  });

  it('tells the steps that it has not seen one by one', () => {
    const world = newWorld();
    world.put('a', DONE);
    world.changes.flush();
    expect(world.told()).toEqual(LIFE);
  });

  it('tells nothing of a record that is touched and says nothing new', () => {
    const world = newWorld();
    world.put('a', {});
    world.changes.flush();
    world.put('a', {});
    world.changes.flush();
    expect(world.told()).toEqual(['a accepted']);
  });

  it('tells how a job ended that is removed at once', () => {
    const world = newWorld();
    world.put('a', DONE);
    world.changes.removing('a');
    world.jobs.delete('a');
    world.changes.removed('a', {});
    expect(world.told()).toEqual([...LIFE, 'a removed']);
  });

  it('has told all of a job before it is forgotten, and of its removal', () => {
    const world = newWorld();
    world.put('a', { ...DONE, jid: 'j' });
    world.changes.filed('a');
    world.changes.removed('a', { jid: 'j' });
    expect(world.told()).toEqual([...LIFE, 'a removed']);
  });

  it('tells each step once and in order, whenever pman is killed', () => {
    const steps: Partial<SeenJob>[] = [
      {},
      { state: 'running', started: 1 },
      { exitCodes: [0] },
      { started: 2 },
      DONE,
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('flush', 'kill', 'checkpoint', 'none'), {
          minLength: steps.length,
          maxLength: steps.length,
        }),
        (after) => {
          const world = newWorld();
          for (const [i, step] of steps.entries()) {
            world.put('a', step);
            if (after[i] === 'flush' || after[i] === 'checkpoint') world.changes.flush();
            if (after[i] === 'checkpoint') world.changes.checkpoint();
            if (after[i] === 'kill') {
              world.restart();
              // What is under way is taken up again.
              world.changes.changed('a');
            }
          }
          world.changes.filed('a');
          expect(world.told()).toEqual(LIFE);
        },
      ),
    );
  });
});
