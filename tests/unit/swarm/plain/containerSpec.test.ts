import { describe, expect, it } from '@jest/globals';
import { containerNames, containerSpec } from '../../../../swarm/plain/containerSpec.ts';
import { request } from '../request.ts';

describe('containerNames', () => {
  it("gives one worker the work's name, and the next ones a number behind it", () => {
    expect(containerNames(request())).toEqual(['work']);
    const three = request({ options: { workers: 3 } });
    expect(containerNames(three)).toEqual(['work', 'work.2', 'work.3']);
  });

  it('gives work whose name is too short for a container one that is taken', () => {
    expect(containerNames(request({ name: '7', options: { workers: 2 } }))).toEqual(['7.1', '7.2']);
  });
});

describe('containerSpec', () => {
  it('is no more than asked for', () => {
    expect(containerSpec(request(), undefined)).toEqual({
      Image: 'img',
      Entrypoint: ['echo', 'hi'],
      Tty: false,
      StopTimeout: 10,
      Labels: {
        'org.fnndsc.pman.job': 'job-1',
        'org.fnndsc.pman.jid': 'jid 1',
        'org.fnndsc.pman.auid': 'ä',
        'org.fnndsc.pman.instance': 'pman-1',
        'org.fnndsc.pman.service': 'work',
        'org.fnndsc.pman.workers': '1',
      },
      HostConfig: { Mounts: [] },
    });
  });

  it('holds all that was asked for', () => {
    const options = {
      env: { A: 'b=c' },
      user: '1:2',
      labels: { l: '1', 'org.fnndsc.pman.job': 'forged' },
      workers: 2,
      mounts: [{ source: 'vol', target: '/data', readOnly: true }],
      limits: { cpus: 9, memoryBytes: 10_000_000, gpus: 1 },
    };
    expect(containerSpec(request({ options, shareDir: '/s' }), 1.5)).toMatchObject({
      Env: ['A=b=c'],
      User: '1:2',
      Labels: { l: '1', 'org.fnndsc.pman.job': 'job-1', 'org.fnndsc.pman.workers': '2' },
      HostConfig: {
        Mounts: [
          { Type: 'bind', Source: '/s', Target: '/share', ReadOnly: false },
          { Type: 'volume', Source: 'vol', Target: '/data', ReadOnly: true },
        ],
        NanoCpus: 1.5e9,
        Memory: 10_000_000,
        DeviceRequests: [{ Count: 1 }],
      },
    });
  });

  it('refuses a command that cannot be split into words', () => {
    expect(() => containerSpec(request({ cmd: "echo 'a" }), undefined)).toThrow(/into words/);
  });
});
