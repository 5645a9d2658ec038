import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { PmanError } from '../../../../lib/errors.ts';
import type { Look, Work, WorkRequest } from '../../../../lib/jobs/container/engine.ts';
import { silentLogger } from '../../../../lib/log.ts';
import { type Labels, OWN_MANAGER_LABEL } from '../../../../swarm/labels.ts';
import { ManagedEngine, type ManagedEngineParts } from '../../../../swarm/managed/managedEngine.ts';
import { StrandedManagerError } from '../../../../swarm/managed/managerCommand.ts';
import { parseTasks, type Task } from '../../../../swarm/service/task.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { request as plainRequest } from '../request.ts';

const manager = { image: 'manager', app: 'swarm.py' };
const request = (more: Partial<WorkRequest> = {}) => plainRequest({ manager, ...more });
const managed: Work = { name: 'work', handle: { manager } };
const never = () => new AbortController().signal;
const first = { mayExist: false, cancelled: never() };
const again = { mayExist: true, cancelled: never() };

const shown = (State: string, ID = 't1') => ({ ID, Status: { State } });
const look = (kind: 'waiting' | 'running' | 'ended', State: string): Look => {
  const seen = {
    workers: [{ id: 't1', exitCode: null, shown: shown(State) }],
    shown: shown(State),
  };
  return kind === 'ended' ? { kind, outcome: 'succeeded', ...seen } : { kind, ...seen };
};
const taskOf = (State: string): Task | undefined => parseTasks([shown(State)])[0];

/** What has been done, and a swarm and managers that do as told. */
function engine(told: {
  readonly inner?: Partial<ManagedEngineParts['inner']>;
  readonly managers?: Partial<ManagedEngineParts['managers']>;
  readonly imageLabels?: Labels;
  readonly owner?: string | undefined;
}) {
  const done: string[] = [];
  const no = async () => {
    throw new Error('not told what to do');
  };
  const inner: ManagedEngineParts['inner'] = {
    check: no,
    start: async () => {
      done.push('started by us');
      return { handle: {}, printed: '' };
    },
    look: async () => new Map(),
    end: no,
    remove: async () => {
      done.push('removed by us');
    },
    logs: no,
    follow: no,
    changes: async (_, { signal }) => {
      await once(signal, 'abort');
    },
    owner: async () =>
      'owner' in told ? { job: told.owner, instance: undefined, isLive: no } : undefined,
    possible: async (asked) => asked,
    lookOf: async ([task]) => task && look('ended', task.Status.State),
    ...told.inner,
  };
  const managers: ManagedEngineParts['managers'] = {
    labels: async () => told.imageLabels ?? {},
    schedule: async () => {
      done.push('started by the manager');
      return 'printed';
    },
    task: async () => taskOf('complete'),
    remove: async () => {
      done.push('removed by the manager');
    },
    settle: async () => {
      done.push('settled');
    },
    ...told.managers,
  };
  return { done, engine: new ManagedEngine({ inner, managers, log: silentLogger() }) };
}

const failing = (error: Error) => async () => {
  throw error;
};

describe('a swarm with manager images, at a start', () => {
  it('has the manager do it, once nothing is left of earlier ones', async () => {
    const { done, engine: swarm } = engine({});
    expect(await swarm.start(request(), first)).toEqual({
      handle: { manager },
      printed: 'printed',
    });
    expect(done).toEqual(['settled', 'started by the manager']);
  });

  it('finds what a manager has made whose image is gone since: it is not made again', async () => {
    const gone = { managers: { labels: async () => undefined } };
    const { done, engine: swarm } = engine({ ...gone, owner: undefined });
    expect(await swarm.start(request(), again)).toEqual({ handle: { manager }, printed: '' });
    expect(done).toEqual(['settled']);
  });

  it('keeps for how many workers it was', async () => {
    const { engine: swarm } = engine({});
    const started = await swarm.start(request({ options: { workers: 3 } }), first);
    expect(started?.handle).toEqual({ manager, workers: 3 });
  });

  it('does it itself where no manager is named, or its image is not there', async () => {
    const { done, engine: swarm } = engine({ managers: { labels: async () => undefined } });
    expect(await swarm.start(plainRequest(), first)).toEqual({ handle: {}, printed: '' });
    expect(await swarm.start(request(), first)).toEqual({ handle: {}, printed: '' });
    expect(done).not.toContain('started by the manager');
  });

  it.each([
    [{ env: { A: '1' } }, {}, 'started by us'],
    [{ user: '1' }, {}, 'started by us'],
    [{ labels: { a: '1' } }, {}, 'started by us'],
    [{ mounts: [] }, {}, 'started by us'],
    [{ env: { A: '1' } }, { [OWN_MANAGER_LABEL]: '1' }, 'started by the manager'],
    [{ limits: { cpus: 1 } }, {}, 'started by the manager'],
  ])('with %j and an image labelled %j: %s', async (options, imageLabels, by) => {
    const { done, engine: swarm } = engine({ imageLabels });
    await swarm.start(request({ options }), first);
    expect(done).toContain(by);
  });

  it('does it itself when the manager does not reach the engine', async () => {
    const schedule = failing(new StrandedManagerError('no answer'));
    const { engine: swarm } = engine({ managers: { schedule } });
    expect(await swarm.start(request(), first)).toEqual({ handle: {}, printed: '' });
  });

  it('tells that the engine is away', async () => {
    const schedule = failing(new PmanError('unavailable', 'away'));
    const { done, engine: swarm } = engine({ managers: { schedule } });
    await expect(swarm.start(request(), first)).rejects.toMatchObject({ code: 'unavailable' });
    expect(done).not.toContain('started by us');
  });

  it.each([
    ['of this job', 'job-1', again, true],
    ['of another job', 'job-2', again, false],
    // The original's manager sets no labels.
    ['of nobody, which an earlier call may have made', undefined, again, true],
    ['of nobody', undefined, first, false],
  ])('takes a service %s for what it is', async (_, owner, options, isOurs) => {
    const schedule = failing(new PmanError('conflict', 'taken'));
    const { engine: swarm } = engine({ owner, managers: { schedule } } as Parameters<
      typeof engine
    >[0]);
    const starting = swarm.start(request(), options);
    if (isOurs) expect(await starting).toEqual({ handle: { manager }, printed: '' });
    else await expect(starting).rejects.toMatchObject({ code: 'conflict' });
  });

  it('makes nothing for what was cancelled, but finds what is there', async () => {
    const cancelled = { mayExist: true, cancelled: AbortSignal.abort() };
    const nothing = engine({});
    expect(await nothing.engine.start(request(), cancelled)).toBeUndefined();
    expect(nothing.done).not.toContain('started by the manager');
    const { engine: swarm } = engine({ owner: 'job-1' });
    expect(await swarm.start(request(), cancelled)).toMatchObject({ handle: { manager } });
  });

  it('finds what a manager has made just before it was stopped', async () => {
    const cancel = new AbortController();
    const schedule = async () => {
      cancel.abort();
      throw new PmanError('internal', 'it was cancelled');
    };
    const options = { mayExist: false, cancelled: cancel.signal };
    const { engine: swarm } = engine({ owner: 'job-1', managers: { schedule } });
    expect(await swarm.start(request(), options)).toMatchObject({ handle: { manager } });
    const nothing = engine({ managers: { schedule } });
    expect(await nothing.engine.start(request(), options)).toBeUndefined();
  });
});

describe('a swarm with manager images, at a removal', () => {
  it('has the manager do it that has made it', async () => {
    const { done, engine: swarm } = engine({});
    await swarm.remove(managed);
    await swarm.remove({ name: 'work', handle: {} });
    await swarm.remove({ name: 'work', handle: undefined });
    expect(done).toEqual(['removed by the manager', 'removed by us', 'removed by us']);
  });

  it('does it itself when the manager cannot, but not when the engine is away', async () => {
    const broken = engine({ managers: { remove: failing(new PmanError('internal', 'x')) } });
    await broken.engine.remove(managed);
    expect(broken.done).toEqual(['removed by us']);
    const away = engine({ managers: { remove: failing(new PmanError('unavailable', 'x')) } });
    await expect(away.engine.remove(managed)).rejects.toMatchObject({ code: 'unavailable' });
    expect(away.done).toEqual([]);
  });
});

describe('a swarm with manager images, at a look', () => {
  /** What the swarm shows, which changes, and managers that answer when told. */
  function lookedAt() {
    const shows = { now: new Map<string, Look>() };
    const answers: Array<(task: Task | undefined) => void> = [];
    const parts = engine({
      inner: { look: async () => shows.now },
      managers: { task: () => new Promise((resolve) => answers.push(resolve)) },
    });
    return { ...parts, shows, answers };
  }

  it('asks no manager about what has not ended', async () => {
    const { engine: swarm, shows, answers } = lookedAt();
    shows.now = new Map([['work', look('running', 'running')]]);
    expect(await swarm.look([managed])).toEqual(shows.now);
    expect(answers).toHaveLength(0);
  });

  it('gives what was seen last until the manager has said how it ended, and then that', async () => {
    const { engine: swarm, shows, answers } = lookedAt();
    const running = look('running', 'running');
    shows.now = new Map([['work', running]]);
    await swarm.look([managed]);
    shows.now = new Map([['work', look('ended', 'seen')]]);
    expect((await swarm.look([managed])).get('work')).toEqual(running);
    expect((await swarm.look([managed])).get('work')).toEqual(running);
    expect(answers).toHaveLength(1);
    answers[0]?.(taskOf('told'));
    const ended = async () => (await swarm.look([managed])).get('work')?.kind === 'ended';
    await eventually(ended, { message: 'the answer' });
    expect((await swarm.look([managed])).get('work')).toEqual(look('ended', 'told'));
    expect(answers).toHaveLength(1);
  });

  it('says that what has ended unseen runs, until the manager has said how', async () => {
    const { engine: swarm, shows } = lookedAt();
    shows.now = new Map([['work', look('ended', 'seen')]]);
    expect((await swarm.look([managed])).get('work')).toMatchObject({ kind: 'running' });
  });

  it('tells the caller that there is an answer', async () => {
    const { engine: swarm, shows, answers } = lookedAt();
    const over = new AbortController();
    const told: string[] = [];
    shows.now = new Map([['work', look('ended', 'seen')]]);
    const options = { signal: over.signal, onOpen: () => undefined };
    const changes = swarm.changes((name) => told.push(name), options);
    await swarm.look([managed]);
    await swarm.look([managed]);
    expect(told).toEqual([]);
    answers[0]?.(taskOf('told'));
    await eventually(() => told.length > 0, { message: 'word of the answer' });
    expect(told).toEqual(['work']);
    over.abort();
    await changes;
  });

  it('asks the swarm alone about several workers, and about what it has made itself', async () => {
    const { engine: swarm, shows, answers } = lookedAt();
    shows.now = new Map([['work', look('ended', 'seen')]]);
    for (const handle of [{ manager, workers: 2 }, {}, undefined]) {
      expect(await swarm.look([{ name: 'work', handle }])).toEqual(shows.now);
      expect(await swarm.look([{ name: 'work', handle }], { closely: true })).toEqual(shows.now);
    }
    expect(answers).toHaveLength(0);
  });

  it('leaves out what is not there', async () => {
    const { engine: swarm } = lookedAt();
    expect((await swarm.look([managed])).size).toBe(0);
  });

  it('forgets what it knew of a name when that is removed', async () => {
    const { engine: swarm, shows } = lookedAt();
    shows.now = new Map([['work', look('waiting', 'pending')]]);
    await swarm.look([managed]);
    await swarm.remove(managed);
    shows.now = new Map([['work', look('ended', 'seen')]]);
    expect((await swarm.look([managed])).get('work')?.kind).toBe('running');
  });

  it('waits for the manager when a client asks for it', async () => {
    const { engine: swarm } = engine({
      inner: {
        look: async (works) => new Map(works.map(({ name }) => [name, look('running', 'seen')])),
      },
    });
    const other: Work = { name: 'other', handle: {} };
    expect(await swarm.look([managed, other], { closely: true })).toEqual(
      new Map([
        ['other', look('running', 'seen')],
        ['work', look('ended', 'complete')],
      ]),
    );
  });

  it('asks the swarm when the manager cannot tell', async () => {
    const { engine: swarm } = engine({
      inner: { look: async () => new Map([['work', look('running', 'seen')]]) },
      managers: { task: failing(new PmanError('internal', 'broken')) },
    });
    const looks = await swarm.look([managed], { closely: true });
    expect(looks.get('work')).toEqual(look('running', 'seen'));
  });

  it('gives the answer for which a client waited to whoever looks meanwhile', async () => {
    const { engine: swarm, shows, answers } = lookedAt();
    shows.now = new Map([['work', look('ended', 'seen')]]);
    const waited = swarm.look([managed], { closely: true });
    expect((await swarm.look([managed])).get('work')?.kind).toBe('running');
    answers[0]?.(taskOf('told'));
    expect((await waited).get('work')).toEqual(look('ended', 'told'));
    await eventually(async () => (await swarm.look([managed])).get('work')?.kind === 'ended');
    expect(answers).toHaveLength(1);
  });

  it('asks four managers at once at most', async () => {
    const { engine: swarm, shows, answers } = lookedAt();
    const works = Array.from({ length: 10 }, (_, i) => ({ ...managed, name: `work${i}` }));
    shows.now = new Map(works.map(({ name }) => [name, look('ended', 'seen')]));
    expect((await swarm.look(works)).size).toBe(10);
    expect(answers).toHaveLength(4);
    answers[0]?.(taskOf('told'));
    await eventually(() => answers.length === 5, { message: 'the fifth' });
  });
});
