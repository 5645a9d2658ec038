import { describe, expect, it } from '@jest/globals';
import {
  causeOf,
  isFinal,
  isGivenUp,
  jobStatusOf,
  memoryLimitOf,
  parseTasks,
  taskStates,
} from '../../../../swarm/service/task.ts';

function task(state: string, error?: string) {
  return { ID: 't', Status: { State: state, ...(error && { Err: error }) } };
}

describe('jobStatusOf', () => {
  it.each([
    [
      ['new', 'allocated', 'pending', 'assigned', 'accepted', 'preparing', 'ready', 'starting'],
      'notstarted',
    ],
    [['running'], 'started'],
    [['complete'], 'finishedSuccessfully'],
    [['failed'], 'finishedWithError'],
    [['shutdown', 'rejected', 'remove', 'orphaned', 'a state of tomorrow'], 'undefined'],
  ])('calls %j %s', (states, status) => {
    expect(states.map((state) => jobStatusOf(task(state)))).toEqual(states.map(() => status));
  });
});

describe('isFinal', () => {
  it('is true for the states that a task does not leave', () => {
    expect(taskStates.filter((state) => isFinal(task(state)))).toEqual([
      'complete',
      'shutdown',
      'failed',
      'rejected',
      'remove',
      'orphaned',
    ]);
  });
});

describe('causeOf', () => {
  it("gives the engine's reason for what went wrong, and nothing for what did not", () => {
    expect(causeOf(task('rejected', 'No such image: x'))).toMatch(
      /could not start .*: No such image: x/,
    );
    expect(causeOf(task('failed', 'task: non-zero exit (3)'))).toContain('non-zero exit (3)');
    expect(causeOf(task('pending', 'no suitable node'))).toBe('the task waits: no suitable node');
    expect(causeOf(task('running'))).toBeUndefined();
    expect(causeOf(task('complete'))).toBeUndefined();
  });
});

describe('parseTasks', () => {
  it('keeps every key in its order', () => {
    const raw = [{ Z: 1, Status: { PID: 1, State: 'new' }, ID: 'a', '': null }];
    expect(JSON.stringify(parseTasks(raw))).toBe(JSON.stringify(raw));
  });

  it('refuses what is no list of tasks', () => {
    expect(() => parseTasks([{ ID: 'a' }])).toThrow();
    expect(() => parseTasks({ message: 'x' })).toThrow();
  });
});

describe('isGivenUp', () => {
  it.each([
    ['running', 'shutdown', true],
    ['pending', 'remove', true],
    ['running', 'running', false],
    ['shutdown', 'shutdown', false],
    ['complete', 'shutdown', false],
  ])('of a task that is %s and is to be %s: %s', (state, desired, is) => {
    expect(isGivenUp({ ...task(state), DesiredState: desired })).toBe(is);
  });
});

describe('memoryLimitOf', () => {
  it('reads the limit of a task that has one', () => {
    const limited = { Spec: { Resources: { Limits: { MemoryBytes: 16 } } } };
    expect(memoryLimitOf({ ...task('failed'), ...limited })).toBe(16);
    expect(memoryLimitOf({ ...task('failed'), Spec: { Resources: {} } })).toBeUndefined();
    expect(memoryLimitOf(task('failed'))).toBeUndefined();
  });
});
