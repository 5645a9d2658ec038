import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../lib/wire/json.ts';
import { eventSchema, jobSchema, podSchema } from '../../../openshift/objects.ts';
import { workState } from '../../../openshift/workState.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const LIMIT_MS = 60_000;

interface PodWish {
  readonly name?: string;
  readonly phase?: string;
  readonly state?: JsonObject;
  readonly status?: JsonObject;
  readonly metadata?: JsonObject;
  readonly memory?: string;
}

const podOf = ({ name = 'p', phase = 'Running', state, status, metadata, memory }: PodWish) =>
  podSchema.parse({
    metadata: {
      ...{ name, uid: `uid-${name}`, creationTimestamp: '2026-01-01T00:00:00Z' },
      ownerReferences: [{ kind: 'Job', uid: 'job' }],
      ...metadata,
    },
    spec: {
      nodeName: 'n1',
      containers: [
        { name: 'j', image: 'img', resources: { limits: { memory: memory ?? '16Mi' } } },
      ],
    },
    status: {
      phase,
      startTime: '2026-01-01T00:00:00Z',
      ...(state === undefined ? {} : { containerStatuses: [{ name: 'j', state }] }),
      ...status,
    },
  });

interface Wish {
  readonly pods?: readonly PodWish[];
  readonly job?: JsonObject;
  readonly spec?: JsonObject;
  readonly annotations?: JsonObject;
  readonly warning?: { readonly uid: string; readonly reason: string; readonly message: string };
}

const stateOf = ({ pods = [], job = {}, spec = {}, annotations = {}, warning }: Wish) => {
  const event =
    warning &&
    eventSchema.parse({
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', uid: warning.uid },
      ...{ reason: warning.reason, message: warning.message },
    });
  return workState(
    {
      job: jobSchema.parse({ metadata: { name: 'j', uid: 'job', annotations }, spec, status: job }),
      pods: pods.map(podOf),
      warnings: new Map(warning && event ? [[warning.uid, event]] : []),
    },
    LIMIT_MS,
    NOW,
  );
};
const ended = (exitCode: number, more: JsonObject = {}): JsonObject => ({
  terminated: { exitCode, ...more },
});
const waiting = (reason: string, message = 'so it is'): PodWish => ({
  phase: 'Pending',
  state: { waiting: { reason, message } },
});

describe('how a Job with its pods stands', () => {
  it('is waiting before it has pods, and before they run', () => {
    expect(stateOf({}).look.kind).toBe('waiting');
    expect(stateOf({ pods: [waiting('ContainerCreating')] }).look.kind).toBe('waiting');
  });

  it('is running as soon as a pod is, and until the last has ended', () => {
    const running = { state: { running: {} } };
    expect(stateOf({ pods: [running] }).look.kind).toBe('running');
    const pods = [
      { name: 'a', phase: 'Succeeded', state: ended(0) },
      { name: 'b', ...running },
    ];
    expect(stateOf({ pods, spec: { completions: 2 } }).look.kind).toBe('running');
    expect(stateOf({ pods: pods.slice(0, 1), spec: { completions: 2 } }).look.kind).toBe('running');
  });

  it('is ended when all pods are, before the controller says so', () => {
    const { look } = stateOf({ pods: [{ phase: 'Succeeded', state: ended(0) }] });
    expect(look).toMatchObject({ kind: 'ended', outcome: 'succeeded' });
    expect(look.workers[0]?.exitCode).toBe(0);
  });

  it('is told by the Job when nothing of its pods is left; no exit code is made up', () => {
    const failed = {
      conditions: [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'late' }],
    };
    const { look } = stateOf({ job: failed });
    expect(look).toMatchObject({
      ...{ kind: 'ended', outcome: 'failed', workers: [] },
      cause: expect.stringContaining('DeadlineExceeded'),
      shown: { ExitCode: null },
    });
  });

  it('has no exit code when the pods that are left of a Job that failed did well', () => {
    const failed = {
      conditions: [
        { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'too many' },
      ],
    };
    const pods = [{ phase: 'Succeeded', state: ended(0) }];
    const { look } = stateOf({ job: failed, pods, spec: { completions: 2 } });
    expect(look).toMatchObject({
      ...{ kind: 'ended', outcome: 'unknown', shown: { ExitCode: null } },
      cause: expect.stringContaining('nobody knows how it ended'),
    });
  });

  it.each<[string, PodWish, RegExp, number | null]>([
    ['an exit code', { state: ended(3) }, /non-zero exit \(3\)/, 3],
    ['a signal', { state: ended(143) }, /as after signal 15/, 143],
    [
      'no memory left',
      { state: ended(137, { reason: 'OOMKilled' }) },
      /^the container ran out of memory: its limit is 16Mi$/,
      137,
    ],
    [
      'no memory left for a child',
      { state: ended(5, { reason: 'OOMKilled' }) },
      /^a process of the container ran out of memory: .*ended with 5$/,
      5,
    ],
    [
      'no such command',
      {
        state: ended(128, {
          reason: 'StartError',
          message: 'runc create failed: exec: "nosuch": executable file not found in $PATH',
        }),
      },
      /could not be started: exec: "nosuch": executable file not found/,
      null,
    ],
    [
      'a node that does not know',
      { state: ended(255, { reason: 'Unknown' }) },
      /lost the container/,
      null,
    ],
    [
      'a start that was cut off',
      { state: ended(1, { reason: 'Error', startedAt: '1970-01-01T00:00:00Z' }) },
      /could not be started/,
      null,
    ],
    [
      'an eviction',
      { status: { reason: 'Evicted', message: 'The node was low on resource: memory.' } },
      /evicted: The node was low on resource: memory/,
      null,
    ],
    [
      'its limit',
      { status: { reason: 'DeadlineExceeded' }, state: ended(137, { reason: 'Error' }) },
      /DeadlineExceeded/,
      137,
    ],
    [
      'a lost node',
      {
        status: {
          conditions: [
            {
              type: 'DisruptionTarget',
              status: 'True',
              reason: 'DeletionByPodGC',
              message: 'gone',
            },
          ],
        },
      },
      /^its node is lost: n1: gone$/,
      null,
    ],
    [
      'preemption',
      {
        status: {
          conditions: [
            { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' },
          ],
        },
      },
      /^ended by its node: a pod of a higher priority/,
      null,
    ],
  ])('names %s as the cause of its end', (_, pod, cause, exitCode) => {
    const { look } = stateOf({ pods: [{ phase: 'Failed', ...pod }] });
    expect(look).toMatchObject({ kind: 'ended', cause: expect.stringMatching(cause) });
    expect(look.workers[0]?.exitCode).toBe(exitCode);
    expect(look.shown.ExitCode).toBe(exitCode);
    if (look.kind === 'ended') expect(look.outcome).not.toBe('succeeded');
  });

  it('names the time limit of the Job, whatever the pods say that end by it', () => {
    const conditions = [{ type: 'FailureTarget', status: 'True', reason: 'DeadlineExceeded' }];
    const { look } = stateOf({
      job: { conditions },
      pods: [{ phase: 'Failed', state: ended(137, { reason: 'Error' }) }],
    });
    expect(look.cause).toMatch(/^time limit: kept by the cluster/);
    expect(look.workers[0]?.exitCode).toBe(137);
  });

  it.each<[string, JsonObject]>([
    ['is not heard of', { reason: 'NodeLost' }],
    [
      'has a taint that its pods do not bear',
      {
        conditions: [
          { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' },
        ],
      },
    ],
  ])('is running when its node %s, and says so', (_, status) => {
    const { look } = stateOf({ pods: [{ state: { running: {} }, status }] });
    expect(look).toMatchObject({
      ...{ kind: 'running', cause: expect.stringMatching(/^its node is lost: n1/) },
    });
  });

  it('tells when a worker ended', () => {
    const finishedAt = '2026-01-01T00:05:00Z';
    const { look } = stateOf({ pods: [{ phase: 'Succeeded', state: ended(0, { finishedAt }) }] });
    expect(look.workers[0]?.endedAt).toBe(Date.parse(finishedAt));
  });

  it('has the exit code 0 of a pod that has succeeded and shows no container', () => {
    const { look } = stateOf({ pods: [{ phase: 'Succeeded' }] });
    expect(look).toMatchObject({ kind: 'ended', outcome: 'succeeded' });
    expect(look.workers[0]?.exitCode).toBe(0);
  });

  it.each<[string, PodWish, boolean]>([
    ['an image that must not be fetched', waiting('ErrImageNeverPull'), true],
    ['no name of an image', waiting('InvalidImageName'), true],
    ['an image that has not come for long', waiting('ImagePullBackOff'), true],
    [
      'an image that may still come',
      {
        ...waiting('ErrImagePull'),
        status: {
          startTime: '2026-01-01T00:09:30Z',
          containerStatuses: [{ name: 'j', state: { waiting: { reason: 'ErrImagePull' } } }],
        },
      },
      false,
    ],
    [
      'root that must not be',
      waiting('CreateContainerConfigError', 'container has runAsNonRoot and image runs as root'),
      true,
    ],
    [
      'no node',
      {
        phase: 'Pending',
        status: {
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'Unschedulable',
              message: '0/1 nodes',
            },
          ],
        },
      },
      false,
    ],
  ])('has a cause while it waits for %s', (_, pod, isHopeless) => {
    const { look, hopeless } = stateOf({ pods: [pod] });
    expect(look).toMatchObject({ kind: 'waiting', cause: expect.any(String) });
    expect(hopeless.map(({ cause }) => cause)).toEqual(isHopeless ? [look.cause] : []);
  });

  it('has no hope with a folder that is not there, and with what is forbidden; a quota is waited for', () => {
    const missing = {
      uid: 'uid-p',
      reason: 'FailedMount',
      message: 'MountVolume.SetUp failed: hostPath type check failed: /a is not a directory',
    };
    const pods = [waiting('ContainerCreating')];
    expect(stateOf({ pods, warning: missing }).hopeless).toHaveLength(1);
    const refused = (message: string) =>
      stateOf({ warning: { uid: 'job', reason: 'FailedCreate', message } }).hopeless;
    expect(refused('Error creating: pods "a" is forbidden: violates PodSecurity')).toHaveLength(1);
    expect(refused('Error creating: pods "a" is forbidden: exceeded quota: q')).toEqual([]);
    // A namespace that was made a moment ago.
    const account =
      'error looking up service account n/default: serviceaccount "default" not found';
    expect(refused(`Error creating: pods "a" is forbidden: ${account}`)).toEqual([]);
  });

  it('tells why pman gave up, not that somebody has removed the pod', () => {
    const gone = { metadata: { deletionTimestamp: 'gone' }, phase: 'Pending' };
    const annotations = { 'pman.fnndsc.org/ended': 'the image x cannot be fetched' };
    expect(stateOf({ pods: [gone], annotations }).look).toMatchObject({
      ...{ kind: 'ended', outcome: 'failed', cause: 'the image x cannot be fetched' },
    });
  });
});
