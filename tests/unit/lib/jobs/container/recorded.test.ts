import { describe, expect, it } from '@jest/globals';
import { exitCodeOf, knownContainer } from '../../../../../lib/jobs/container/knownContainer.ts';
import { isDone, progressOf } from '../../../../../lib/jobs/progress.ts';
import { nodeFromJson } from '../../../../../lib/tree/node.ts';
import { isJsonObject, type JsonObject } from '../../../../../lib/wire/json.ts';

/** A record whose echo has ended, as each scheduled container job has one. */
const record = (container: JsonObject) =>
  nodeFromJson(
    { cmdMgr: '"m"', endInfo: { x: 1 }, container, start: { a: 1 }, end: { a: 1 } },
    isJsonObject,
  );
const state = (State: string, ExitCode = 0) => ({
  Status: { State, ContainerStatus: { ExitCode } },
});

describe('knownContainer', () => {
  it.each([
    ['complete', 'finishedSuccessfully'],
    ['failed', 'finishedWithError'],
    ['rejected', 'undefined'],
    ['orphaned', 'undefined'],
  ])(
    'takes a stored task that is %s as the end, whatever the original left as currentState',
    (word, status) => {
      const tree = record({ currentState: 'started' });
      tree.touch(['container', 'state'], state(word));
      tree.touch(['container', 'logs'], 'text');
      expect(knownContainer(tree)).toEqual({ status, logs: 'text', isFinal: true });
      expect(isDone(tree)).toBe(true);
      expect(progressOf(tree).status).toBe(status);
    },
  );

  it('does not take a job as over because it was scheduled', () => {
    const tree = record({ currentState: 'started' });
    tree.touch(['endInfo'], { allJobsDone: true });
    expect(knownContainer(tree)).toEqual({ status: 'started', logs: '', isFinal: false });
    expect(isDone(tree)).toBe(false);
    expect(progressOf(tree).status).toBe('started');
  });

  it('believes an end without a task: it was killed before it had one', () => {
    expect(knownContainer(record({ currentState: 'finishedWithError' })).isFinal).toBe(true);
  });
});

describe('exitCodeOf', () => {
  it('gives the exit code of the task, null without one', () => {
    const tree = record({});
    expect(exitCodeOf(tree)).toBeNull();
    tree.touch(['container', 'state'], state('failed', 3));
    expect(exitCodeOf(tree)).toBe(3);
  });
});
