import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { nativeSpawn } from '../../../../crunner/detached/nativeSpawn.ts';
import { hearChildSignals } from '../../../helpers/childSignals.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

hearChildSignals();

const sh = (command: string) => {
  const top = tempDir();
  return nativeSpawn({
    ...{ file: '/bin/sh', argv: ['sh', '-c', command], env: process.env },
    ...{ out: join(top, 'out'), err: join(top, 'err') },
  });
};

describe('nativeSpawn', () => {
  it('tells what was used, children included', async () => {
    const burn = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done';
    const { usage: burnt } = await sh(`sh -c '${burn}'`).ended;
    const cpu = (burnt?.user_seconds ?? 0) + (burnt?.system_seconds ?? 0);
    expect(cpu).toBeGreaterThan(0.02);
    expect(cpu).toBeLessThan(30);
    const floor = process.resourceUsage().maxRSS * 1024;
    const bytes = floor + 100 * 1024 * 1024;
    const { usage: large } = await sh(`head -c ${bytes} /dev/zero | tail -c ${bytes} >/dev/null`)
      .ended;
    expect(large?.source).toBe('wait4');
    expect(large?.peak_memory_bytes).toBeGreaterThan(bytes);
    expect(large?.peak_memory_bytes).toBeLessThan(2 * bytes);
  });

  it('says below what the peak was when that is all that can be told', async () => {
    const { usage } = await sh('true').ended;
    expect(usage?.peak_memory_bytes).toBeUndefined();
    expect(usage?.peak_memory_below_bytes).toBeGreaterThan(1024 * 1024);
  });
});
