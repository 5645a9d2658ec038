import { describe, expect, it } from '@jest/globals';
import { stateOfTasks } from '../../../../swarm/service/jobState.ts';
import { parseTasks, type TaskState } from '../../../../swarm/service/task.ts';

/** Tasks, the newest first, each of a worker of its own unless told. */
const tasks = (states: readonly (TaskState | readonly [TaskState, number])[]) =>
  parseTasks(
    states.map((one, i) => {
      const [State, Slot] = typeof one === 'string' ? [one, i + 1] : one;
      return { ID: `t${i}`, Slot, Status: { State, Err: `said ${i}` } };
    }),
  );

describe('stateOfTasks', () => {
  it.each([
    [['complete', 'complete'], 'finishedSuccessfully', true],
    [['complete', 'failed'], 'finishedWithError', true],
    [['complete', 'rejected'], 'undefined', true],
    [['rejected', 'failed'], 'finishedWithError', true],
    [['complete', 'running'], 'started', false],
    [['failed', 'running'], 'started', false],
    [['complete', 'pending'], 'started', false],
    [['pending', 'preparing'], 'notstarted', false],
  ] as const)('takes workers that are %j as %s', (states, status, isFinal) => {
    expect(stateOfTasks(tasks(states))).toMatchObject({ status, isFinal });
  });

  it('counts the newest task of each worker', () => {
    const state = stateOfTasks(
      tasks([
        ['running', 1],
        ['failed', 1],
        ['complete', 2],
      ]),
    );
    expect(state).toMatchObject({ status: 'started', isFinal: false });
    expect(state?.tasks.map(({ ID }) => ID)).toEqual(['t2', 't0']);
  });

  it('gives the cause of the task that decides', () => {
    expect(stateOfTasks(tasks(['complete', 'failed']))?.cause).toContain('said 1');
  });

  it('knows nothing of a service without tasks', () => {
    expect(stateOfTasks([])).toBeUndefined();
  });
});
