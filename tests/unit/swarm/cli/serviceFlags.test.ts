import { describe, expect, it } from '@jest/globals';
import { parseFlags } from '../../../../swarm/cli/flags.ts';

const schedule = (...more: readonly string[]) =>
  parseFlags(['-s', 'a', '-i', 'img', '-c', 'c', ...more]);

describe('the flags of a service', () => {
  it('are read, repeated ones each', () => {
    const env = ['--env', 'A=b=c', '--env', 'D='];
    const rest = ['--label', 'l=1', '--bind', '/x:/in:ro', '--bind', 'vol:/data', '--user', '1:2'];
    const limits = ['--limit', 'cpus=0.5', '--limit', 'memory=1000', '--workers', '3'];
    expect(schedule(...env, ...rest, ...limits)).toMatchObject({
      options: {
        env: { A: 'b=c', D: '' },
        labels: { l: '1' },
        mounts: [
          { source: '/x', target: '/in', readOnly: true },
          { source: 'vol', target: '/data', readOnly: false },
        ],
        user: '1:2',
        workers: 3,
        limits: { cpus: 0.5, memoryBytes: 1000 },
      },
    });
  });

  it('leave it a terminal unless told otherwise, as swarm.py does', () => {
    expect(schedule()).toMatchObject({ options: {} });
    expect(schedule('--no-tty')).toMatchObject({ options: { tty: false } });
  });

  it.each([
    ['--env', 'A'],
    ['--bind', '/x'],
    ['--limit', 'disk=1'],
    ['--limit', 'cpus=all'],
    ['--workers', '0'],
  ])('are refused as %s %s', (flag, value) => {
    expect(() => schedule(flag, value)).toThrow(flag);
  });
});
