import { describe, expect, it } from '@jest/globals';
import { restartPolicyOf, serviceSpec } from '../../../../swarm/service/serviceSpec.ts';

const plain = { name: 'a', image: 'img', command: ['echo', 'x'] };

describe('serviceSpec', () => {
  it('asks for a terminal, no mounts and restarts on failure, unless told otherwise', () => {
    expect(serviceSpec(plain)).toEqual({
      Name: 'a',
      TaskTemplate: {
        ContainerSpec: { Image: 'img', Command: ['echo', 'x'], Mounts: [], TTY: true },
        RestartPolicy: { Condition: 'on-failure', Delay: 0, MaxAttempts: 0, Window: 0 },
      },
    });
  });

  it('shares a folder as /share, writable, and a name without slash as a volume', () => {
    const withMount = (mount: object) => ({
      TaskTemplate: {
        ContainerSpec: { Mounts: [{ Target: '/share', ReadOnly: false, ...mount }] },
      },
    });
    expect(serviceSpec({ ...plain, shareDir: '/data/key 1' })).toMatchObject(
      withMount({ Source: '/data/key 1', Type: 'bind' }),
    );
    expect(serviceSpec({ ...plain, shareDir: 'vol' })).toMatchObject(
      withMount({ Source: 'vol', Type: 'volume' }),
    );
  });

  it('passes limits, workers, environment, user and labels on', () => {
    const spec = serviceSpec({
      ...plain,
      limits: { cpus: 0.5, memoryBytes: 64e6, gpus: 2 },
      workers: 3,
      env: { A: '1=2' },
      user: '1000:1000',
      labels: { job: 'j1' },
    });
    expect(spec).toMatchObject({
      Labels: { job: 'j1' },
      Mode: { Replicated: { Replicas: 3 } },
      TaskTemplate: {
        ContainerSpec: { Env: ['A=1=2'], User: '1000:1000', Labels: { job: 'j1' } },
        Resources: {
          Limits: { NanoCPUs: 5e8, MemoryBytes: 64e6 },
          Reservations: {
            GenericResources: [{ DiscreteResourceSpec: { Kind: 'NVIDIA-GPU', Value: 2 } }],
          },
        },
      },
    });
  });

  it.each(['data/key', './data', '../data'])('refuses to mount %s, which is relative', (source) => {
    expect(() => serviceSpec({ ...plain, shareDir: source })).toThrow(/absolute path/);
    const mounts = [{ source, target: '/in', readOnly: true }];
    expect(() => serviceSpec({ ...plain, mounts })).toThrow(/absolute path/);
  });
});

describe('restartPolicyOf', () => {
  it('refuses a word that is no policy', () => {
    expect(restartPolicyOf('none')).toBe('none');
    expect(() => restartPolicyOf('always')).toThrow('one of none, on-failure, any, not "always"');
  });
});
