import { describe, expect, it } from '@jest/globals';
import { lookOfTasks } from '../../../../swarm/service/jobState.ts';
import { parseTasks, type TaskState } from '../../../../swarm/service/task.ts';

/** Tasks, the newest first, each of a worker of its own unless told. */
const tasks = (states: readonly (TaskState | readonly [TaskState, number])[]) =>
  parseTasks(
    states.map((one, i) => {
      const [State, Slot] = typeof one === 'string' ? [one, i + 1] : one;
      return { ID: `t${i}`, Slot, Status: { State, Err: `said ${i}` } };
    }),
  );

describe('lookOfTasks', () => {
  it.each([
    [['complete', 'complete'], { kind: 'ended', outcome: 'succeeded' }],
    [['complete', 'failed'], { kind: 'ended', outcome: 'failed' }],
    [['complete', 'rejected'], { kind: 'ended', outcome: 'unknown' }],
    [['rejected', 'failed'], { kind: 'ended', outcome: 'failed' }],
    [['shutdown'], { kind: 'ended', outcome: 'unknown' }],
    [['complete', 'running'], { kind: 'running' }],
    [['failed', 'running'], { kind: 'running' }],
    [['complete', 'pending'], { kind: 'running' }],
    [['pending', 'preparing'], { kind: 'waiting' }],
  ] as const)('takes workers that are %j as %j', (states, look) => {
    expect(lookOfTasks(tasks(states))).toMatchObject(look);
  });

  it('says nothing of an outcome before the end', () => {
    expect(lookOfTasks(tasks(['complete', 'running']))).not.toHaveProperty('outcome');
  });

  it('counts the newest task of each worker, and gives the oldest first', () => {
    const look = lookOfTasks(
      tasks([
        ['running', 1],
        ['failed', 1],
        ['complete', 2],
      ]),
    );
    expect(look).toMatchObject({ kind: 'running' });
    expect(look?.workers.map(({ id }) => id)).toEqual(['t2', 't0']);
  });

  it('gives the cause of the task that decides, unless more is known', () => {
    const failed = tasks(['complete', 'failed']);
    expect(lookOfTasks(failed)?.cause).toContain('said 1');
    expect(lookOfTasks(failed, 'out of memory')?.cause).toBe('out of memory');
  });

  it('shows the task that decides, and each worker its own, as the engine does', () => {
    const [done, failed] = tasks(['complete', 'failed']);
    const look = lookOfTasks(tasks(['complete', 'failed']));
    expect(look?.shown).toEqual(failed);
    expect(look?.workers.map(({ shown }) => shown)).toEqual([failed, done]);
  });

  it.each<[TaskState, string, number | null]>([
    ['complete', 'c1', 0],
    ['failed', 'c1', 3],
    ['running', 'c1', null],
    // The engine shows 0 for what never ran.
    ['rejected', '', null],
  ])(
    'knows of a worker that is %s in the container %j the exit code %j',
    (State, ContainerID, code) => {
      const ContainerStatus = { ContainerID, ExitCode: code ?? 0 };
      const look = lookOfTasks(parseTasks([{ ID: 't', Status: { State, ContainerStatus } }]));
      expect(look?.workers.map(({ exitCode }) => exitCode)).toEqual([code]);
    },
  );

  it('knows nothing of a service without tasks', () => {
    expect(lookOfTasks([])).toBeUndefined();
  });
});
