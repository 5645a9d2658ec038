import { describe, expect, it } from '@jest/globals';
import { readShown } from '../../../../swarm/service/shownTask.ts';

describe('readShown', () => {
  it.each([
    ['complete', 0, { outcome: 'succeeded', exitCode: 0, hasRun: true }],
    ['failed', 3, { outcome: 'failed', exitCode: 3, hasRun: true }],
    ['rejected', undefined, { outcome: 'unknown', exitCode: null, hasRun: false }],
    ['shutdown', 137, { outcome: 'unknown', exitCode: 137, hasRun: true }],
    ['running', 0, { outcome: 'unknown', exitCode: null, hasRun: true }],
    ['preparing', undefined, { outcome: 'unknown', exitCode: null, hasRun: false }],
    ['remove', undefined, { outcome: 'unknown', exitCode: null, hasRun: undefined }],
    ['shutdown', 0, { outcome: 'unknown', exitCode: null }],
  ])('reads a task that is %s with the exit code %j', (State, ExitCode, end) => {
    const ContainerStatus = ExitCode === undefined ? {} : { ExitCode };
    expect(readShown({ ID: 't', Status: { State, ContainerStatus } })).toEqual(end);
  });

  it('reads a task that never had a container', () => {
    const end = { outcome: 'failed', exitCode: null, hasRun: true };
    expect(readShown({ Status: { State: 'failed' } })).toEqual(end);
    expect(readShown({ Status: { State: 'failed', ContainerStatus: null } })).toEqual(end);
  });

  it.each([{}, { Status: {} }, { Status: 'failed' }, { Status: { State: 1 } }, { status: {} }])(
    'does not know the form of %j',
    (shown) => {
      expect(readShown(shown)).toBeUndefined();
    },
  );
});
