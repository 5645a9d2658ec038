import { describe, expect, it } from '@jest/globals';
import type { ContainerInspectInfo } from 'dockerode';
import { lookOfContainers } from '../../../../swarm/plain/plainTask.ts';

interface Told {
  readonly Id?: string;
  readonly Created?: string;
  readonly State: object;
  readonly Memory?: number;
}

/** A container as an engine shows it, as far as it is looked at. */
function container({ Id = 'c1', Created = '2026-01-01T00:00:05Z', State, Memory = 0 }: Told) {
  return {
    ...{ Id, Name: '/work', Created },
    Config: { Image: 'img', Entrypoint: ['a'], Tty: true, Labels: {} },
    HostConfig: { Memory },
    State: {
      ...{ Pid: 0, ExitCode: 0, Error: '', OOMKilled: false },
      ...{ StartedAt: '2026-01-01T00:00:06Z', FinishedAt: '0001-01-01T00:00:00Z', ...State },
    },
  } as unknown as ContainerInspectInfo; // no more of it is read
}

describe('lookOfContainers', () => {
  it.each([
    [{ Status: 'created' }, { kind: 'waiting' }],
    [{ Status: 'running' }, { kind: 'running' }],
    [{ Status: 'paused' }, { kind: 'running' }],
    [
      { Status: 'exited', ExitCode: 0 },
      { kind: 'ended', outcome: 'succeeded' },
    ],
    [
      { Status: 'exited', ExitCode: 3 },
      { kind: 'ended', outcome: 'failed' },
    ],
    [
      { Status: 'created', ExitCode: 127, Error: 'no such program' },
      { kind: 'ended', outcome: 'unknown', cause: expect.stringContaining('no such program') },
    ],
  ])('takes a container that is %j as %j', (State, look) => {
    expect(lookOfContainers([container({ State })])).toMatchObject(look);
  });

  it('gives the oldest worker first, whatever the order of the engine', () => {
    const State = { Status: 'running' };
    const old = container({ Id: 'old', Created: '2026-01-01T00:00:05.1Z', State });
    const young = container({ Id: 'young', Created: '2026-01-01T00:00:05.12Z', State });
    for (const listed of [
      [old, young],
      [young, old],
    ]) {
      expect(lookOfContainers(listed)?.workers.map(({ id }) => id)).toEqual(['old', 'young']);
    }
  });

  it('tells the exit code of a worker that has ended, and none of one that runs', () => {
    const look = lookOfContainers([
      container({ Id: 'a', State: { Status: 'exited', ExitCode: 3 } }),
      container({ Id: 'b', State: { Status: 'running' } }),
    ]);
    const codes = Object.fromEntries(
      (look?.workers ?? []).map(({ id, exitCode }) => [id, exitCode]),
    );
    expect(codes).toEqual({ a: 3, b: null });
    expect(look?.kind).toBe('running');
  });

  it.each([
    [{ OOMKilled: true }, 0, /ran out of memory/],
    [{ OOMKilled: false }, 7_000_000, /ran out of memory: it seems so, .* its limit is 7000000$/],
    [{ OOMKilled: false }, 0, /non-zero exit \(137\)/],
  ])('says why a container was killed: %j with the limit %i', (more, Memory, cause) => {
    const State = { Status: 'exited', ExitCode: 137, ...more };
    expect(lookOfContainers([container({ State, Memory })])?.cause).toMatch(cause);
  });

  it('does not take a job for well of whose workers one was removed by somebody else', () => {
    const done = container({ State: { Status: 'exited', ExitCode: 0 } });
    expect(lookOfContainers([done], 2)).toMatchObject({
      ...{ kind: 'ended', outcome: 'unknown' },
      cause: 'removed by somebody else: 1 of its 2 workers',
      shown: { Status: { State: 'remove' } },
      workers: [{ exitCode: 0 }, { exitCode: null }],
    });
    expect(lookOfContainers([done], 1)).toMatchObject({ outcome: 'succeeded' });
    expect(lookOfContainers([container({ State: { Status: 'running' } })], 2)?.kind).toBe(
      'running',
    );
  });

  it('tells the exit code of a worker that failed, also when another one was removed', () => {
    const failed = container({ State: { Status: 'exited', ExitCode: 3 } });
    expect(lookOfContainers([failed], 2)).toMatchObject({
      ...{ outcome: 'failed', cause: 'non-zero exit (3)' },
    });
  });

  it('knows nothing without containers', () => {
    expect(lookOfContainers([])).toBeUndefined();
  });
});
