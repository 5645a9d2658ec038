import { describe, expect, it } from '@jest/globals';
import { recordedContainer, recordedExitCode } from '../../../../../lib/jobs/container/recorded.ts';
import { nodeFromJson } from '../../../../../lib/tree/node.ts';
import { isJsonObject, type JsonObject } from '../../../../../lib/wire/json.ts';
import { readShown } from '../../../../../swarm/service/shownTask.ts';
import { progressOf } from '../../../../helpers/records.ts';

/** A record whose echo has ended, as each scheduled container job has one. */
const record = (container: JsonObject) =>
  nodeFromJson(
    { cmdMgr: '"m"', endInfo: { x: 1 }, container, start: { a: 1 }, end: { a: 1 } },
    isJsonObject,
  );
const state = (State: string, ExitCode = 0) => ({
  Status: { State, ContainerStatus: { ExitCode } },
});

describe('recordedContainer', () => {
  it.each([
    ['complete', 'finishedSuccessfully'],
    ['failed', 'finishedWithError'],
    ['rejected', 'finishedWithError'],
    ['orphaned', 'finishedWithError'],
  ])(
    'takes a stored task that is %s as the end, whatever the original left as currentState',
    (word, status) => {
      const tree = record({ currentState: 'started' });
      tree.touch(['container', 'state'], state(word));
      tree.touch(['container', 'logs'], 'text');
      expect(recordedContainer(tree, readShown)).toEqual({ status, logs: 'text', isFinal: true });
      expect(progressOf(tree).isDone).toBe(true);
      expect(progressOf(tree).status).toBe(status);
    },
  );

  it('does not take a job as over because it was scheduled', () => {
    const tree = record({ currentState: 'started' });
    tree.touch(['endInfo'], { allJobsDone: true });
    expect(recordedContainer(tree, readShown)).toEqual({
      status: 'started',
      logs: '',
      isFinal: false,
    });
    expect(progressOf(tree).isDone).toBe(false);
    expect(progressOf(tree).status).toBe('started');
  });

  it('believes an end without a task: it was killed before it had one', () => {
    expect(
      recordedContainer(record({ currentState: 'finishedWithError' }), readShown).isFinal,
    ).toBe(true);
  });
});

describe('the return code of a job in a container', () => {
  const ended = (shown: JsonObject | undefined, code = 0) => {
    const tree = record({ currentState: 'finishedWithError' });
    tree.touch(['end', '0', 'endInfo'], { 0: { returncode: code, doneTrigger: true } });
    if (shown !== undefined) tree.touch(['container', 'state'], shown);
    return progressOf(tree).returncodes;
  };

  it.each([
    ['that never got a container', state('rejected')],
    ['whose engine was stopped under it', state('shutdown')],
    [
      'whose program the image lacks',
      { Status: { ...state('failed', 127).Status, Message: 'starting' } },
    ],
    ['whose container the engine has lost, as it was stopped', state('failed', 0)],
    ['that somebody removed', state('running')],
    ['of which nothing is known', undefined],
  ])('%s is null: 0 would say that all is well', (_, shown) => {
    expect(ended(shown)).toEqual([null]);
  });

  it('that failed is its own', () => {
    expect(ended(state('failed', 3))).toEqual([3]);
  });

  it('that could not be scheduled is null: 1 would say that it has run', () => {
    expect(ended(undefined, 1)).toEqual([null]);
  });

  it('that did well is 0, also where the original has kept no code', () => {
    expect(ended({ Status: { State: 'complete' } })).toEqual([0]);
  });
});

describe('recordedExitCode', () => {
  it('gives the exit code of the task, null without one', () => {
    const tree = record({});
    expect(recordedExitCode(tree, readShown)).toBeNull();
    tree.touch(['container', 'state'], state('failed', 3));
    expect(recordedExitCode(tree, readShown)).toBe(3);
  });
});
