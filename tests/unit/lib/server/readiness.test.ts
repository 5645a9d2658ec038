import { describe, expect, it } from '@jest/globals';
import type { RequestHead } from '../../../../lib/gateway/types.ts';
import type { BackendReadiness } from '../../../../lib/jobs/backend.ts';
import { probeIn, probeReply, readiness } from '../../../../lib/server/readiness.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const head = (method: string, target: string, rawHeaders: RequestHead['rawHeaders'] = []) => ({
  ...{ method, target, rawHeaders, httpVersion: '1.1', authorization: undefined },
});

describe('probeIn', () => {
  it('knows the two probes, whoever sends them', () => {
    expect(probeIn(head('GET', '/livez'))).toBe('livez');
    expect(probeIn(head('HEAD', '/readyz'))).toBe('readyz');
    expect(probeIn({ ...head('GET', '/livez'), authorization: 'Bearer x' })).toBe('livez');
  });

  it.each([
    ['POST', '/livez', []],
    ['GET', '/livez/', []],
    ['GET', '/readyz?x', []],
    ['GET', '/api/v1/livez', []],
    ['GET', '/livez', [['Content-Length', '3'] as const]],
    ['GET', '/livez', [['Transfer-Encoding', 'chunked'] as const]],
  ])('takes %s %s %j for something else', (method, target, headers) => {
    expect(probeIn(head(method, target, headers))).toBeUndefined();
  });
});

const NO_RUNNER: BackendReadiness = { state: 'failing', problem: 'the runner is gone' };

describe('readiness', () => {
  const well = () => ({
    database: { indexing: undefined, problem: undefined, folder: tempDir() },
    host: { readiness: async (): Promise<BackendReadiness> => ({ state: 'ready' }) },
    isDraining: () => false,
  });
  const indexing = { read: 1, of: 2 } as never;

  it('is there when all is well', async () => {
    expect(await readiness(well())()).toBeUndefined();
    expect(probeReply(undefined)).toMatchObject({ status: 200, body: Buffer.from('ok\n') });
  });

  it.each([
    ['pman is ending', { isDraining: () => true }],
    ['records are still being read', { database: { ...well().database, indexing } }],
    ['the disk takes no records', { database: { ...well().database, problem: 'ENOSPC /var/x' } }],
    ['the runner is gone', { host: { readiness: async () => NO_RUNNER } }],
    ['the disk cannot be looked at', { database: { ...well().database, folder: '/none/here' } }],
  ])('says: %s', async (words, trouble) => {
    const problem = await readiness({ ...well(), ...trouble })();
    expect(problem).toBe(words);
    expect(probeReply(problem)).toMatchObject({ status: 503, body: Buffer.from(`${words}\n`) });
  });
});
