import { describe, expect, it } from '@jest/globals';
import {
  managerError,
  StrandedManagerError,
  scheduleArgs,
} from '../../../../swarm/managed/managerCommand.ts';
import { request } from '../request.ts';

const options = {
  env: { A: 'b' },
  labels: { l: '1' },
  mounts: [{ source: '/x', target: '/in', readOnly: true }],
  user: '1:2',
  workers: 3,
  limits: { cpus: 0.5, memoryBytes: 7_000_000, gpus: 1 },
};

describe('scheduleArgs', () => {
  it("are the original's for its manager, which knows no others", () => {
    expect(scheduleArgs(request({ shareDir: '/s', options }), false)).toEqual([
      '-s',
      'work',
      '-m',
      '/s',
      '-i',
      'img',
      '-p',
      'none',
      '-c',
      'echo hi',
    ]);
  });

  it('tell a manager of ours all that was asked for, and whose it is', () => {
    const args = scheduleArgs(request({ options }), true).join(' ');
    for (const part of [
      '--label l=1',
      '--label org.fnndsc.pman.job=job-1',
      '--label org.fnndsc.pman.instance=pman-1',
      '--env A=b',
      '--bind /x:/in:ro',
      '--user 1:2',
      '--workers 3',
      '--limit cpus=0.5',
      '--limit memory=7000000',
      '--limit gpus=1',
    ]) {
      expect(args).toContain(part);
    }
    expect(args).toMatch(/ -c echo hi$/);
  });
});

describe('managerError', () => {
  it.each([
    'docker.errors.APIError: 409: name conflicts with an existing object',
    'rpc error: code = AlreadyExists',
  ])('takes %j for a name that is taken', (printed) => {
    expect(managerError('do it', 1, printed).code).toBe('conflict');
  });

  it.each(["('Connection aborted.', …)", 'swarm: cannot …: no answer from unix:///x'])(
    'takes %j for an engine that the manager does not reach',
    (printed) => {
      expect(managerError('do it', 1, printed)).toBeInstanceOf(StrandedManagerError);
    },
  );

  it('gives the last line of what was printed otherwise', () => {
    const error = managerError('do it', 2, 'Traceback\nKeyError: x');
    expect(error).toMatchObject({
      code: 'internal',
      message: 'cannot do it: exit code 2: KeyError: x',
    });
    expect(error).not.toBeInstanceOf(StrandedManagerError);
  });
});
