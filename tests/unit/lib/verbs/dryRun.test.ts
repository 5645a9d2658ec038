import { describe, expect, it } from '@jest/globals';
import type { Job } from '../../../../lib/client/index.ts';
import { tellDryRun } from '../../../../lib/verbs/dryRun.ts';

const job = { id: '7f3a9c10-0000-4000-8000-000000000000', jid: 'a', command: 'true' } as Job;

function told(...switches: string[]): string {
  const lines: string[] = [];
  const out = { line: (text: string) => lines.push(text) };
  const streams = { streams: { out } } as never;
  const code = tellDryRun(streams, { switches: new Set(switches) }, [job], {
    ...{ would: () => 'would run', members: ({ command }: Job) => ({ command }) },
  });
  expect(code).toBe(0);
  return lines.join('|');
}

describe('a dry run', () => {
  it('is one document with --json, which says that nothing was done', () => {
    expect(JSON.parse(told('json'))).toEqual({
      ...{ dryRun: true, jobs: [{ id: job.id, command: 'true' }] },
    });
  });

  it('is ids alone with -q, and a line a job else', () => {
    expect(told('quiet')).toBe('7f3a9c');
    expect(told()).toMatch(/^7f3a9c a would run$/);
  });
});
