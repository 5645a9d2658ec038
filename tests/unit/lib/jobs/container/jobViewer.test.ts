import { describe, expect, it } from '@jest/globals';
import {
  newContainerRecord,
  recordContainerEnd,
  recordScheduled,
} from '../../../../../lib/jobs/container/containerRecord.ts';
import { jobViewer } from '../../../../../lib/jobs/container/jobViewer.ts';
import { reasonOf, stateOf } from '../../../../../lib/jobs/states.ts';
import type { JsonObject } from '../../../../../lib/wire/json.ts';
import { readShown } from '../../../../../swarm/service/shownTask.ts';
import { readMemoryShown } from '../../../../helpers/memoryEngine.ts';

const T0 = Date.UTC(2026, 0, 1, 12, 0, 0);
const view = jobViewer(readMemoryShown);
const viewTask = jobViewer(readShown);

/** The record of a job that was scheduled 500 ms after T0, and has ended then if it has. */
function recordOf(endedAt: number | undefined, exit: number | null = 0) {
  const job = { meta: {}, container: {}, cmdMgr: 'm', cmd: 'true', auid: 'a', jid: 'j' };
  const record = newContainerRecord(job);
  const times = { startedAt: T0 + 500, endedAt: T0 + 600, host: {} };
  recordScheduled(record, job, { printed: '', ...times });
  if (endedAt === undefined) return record;
  recordContainerEnd(record, {
    ...{ status: exit === 0 ? 'finishedSuccessfully' : 'finishedWithError', workers: [] },
    ...{ shown: { exit }, logs: '', outputs: [], cause: undefined, endedAt },
  });
  return record;
}

describe('the time when a container job ended', () => {
  it('is what the engine told, of the job and of its part', () => {
    const { endedAt, parts } = view(recordOf(T0 + 5000));
    expect([endedAt, parts[0]?.endedAt]).toEqual([T0 + 5000, T0 + 5000]);
  });

  it('is known also where no exit code is', () => {
    expect(view(recordOf(T0 + 5000, null)).endedAt).toBe(T0 + 5000);
  });

  it('is never before its start, also by a clock that tells seconds only', () => {
    expect(view(recordOf(T0)).endedAt).toBe(T0 + 500);
  });

  it('is not known before the end', () => {
    expect(view(recordOf(undefined)).endedAt).toBeNull();
  });
});

interface EndWish {
  readonly cause: string;
  readonly shown?: JsonObject;
  /** Why the engine did not take it. */
  readonly failure?: string;
}

/** The record of a job that was scheduled 500 ms after T0, and has ended with an error and no exit code. */
function endedRecord({ cause, shown, failure }: EndWish) {
  const job = { meta: {}, container: {}, cmdMgr: 'm', cmd: 'true', auid: 'a', jid: 'j' };
  const record = newContainerRecord(job);
  const times = { startedAt: T0 + 500, endedAt: T0 + 600, host: {} };
  const failed = failure === undefined ? {} : { failure };
  recordScheduled(record, job, { printed: '', ...times, ...failed });
  recordContainerEnd(record, {
    ...{ status: 'finishedWithError', workers: [], shown, logs: '', outputs: [], cause },
    endedAt: T0 + 5000,
  });
  return record;
}
const task = (State: string, ExitCode?: number) => ({
  Status: { State, ContainerStatus: ExitCode === undefined ? null : { ExitCode } },
});

describe('a container job without an exit code', () => {
  it.each<readonly [string, EndWish]>([
    ['ran and was removed', { cause: 'removed by somebody else', shown: task('running', 0) }],
    ['was removed before it was seen', { cause: 'removed by somebody else: the service' }],
    ['was removed soon', { cause: 'removed by somebody else', shown: task('preparing') }],
    ['has lost a worker', { cause: 'removed by somebody else: 1 of 2', shown: task('remove') }],
    ['lost its engine', { cause: 'nobody knows how it ended: No such', shown: task('failed', 0) }],
    ['lost its node', { cause: 'its node is lost: n1', shown: task('orphaned') }],
  ])('has a start, a part, and nobody saw its end, when it %s', (_, wish) => {
    const seen = viewTask(endedRecord(wish));
    expect(seen.parts).toMatchObject([{ exitCode: null, hasEnded: true, startedAt: T0 + 500 }]);
    expect(reasonOf(seen, stateOf(seen))).toEqual({ code: 'lost', message: wish.cause });
  });

  it.each<readonly [string, EndWish]>([
    ['its image is missing', { cause: 'the image is missing: x', shown: task('rejected') }],
    ['the engine refused it', { cause: 'refused by the engine: x', failure: 'x' }],
    ['its start was interrupted', { cause: 'its start was interrupted: context canceled' }],
    ['its image never came', { cause: 'the image is missing: x cannot be fetched' }],
  ])('is not started when %s', (_, wish) => {
    const seen = viewTask(endedRecord(wish));
    expect(seen.parts).toEqual([]);
    expect(reasonOf(seen, stateOf(seen))?.code).toBe('not_started');
  });
});

it('a container job that is killed while it waits for its node has not started', () => {
  const killed = { cause: 'ended by a kill request', shown: task('pending') };
  const seen = viewTask(endedRecord(killed));
  expect(seen.parts).toEqual([]);
  expect(reasonOf(seen, stateOf(seen))?.code).toBe('killed');
});
