import { describe, expect, it } from '@jest/globals';
import type { EnvelopeDialect } from '../../../../../lib/dialects/envelope/dialect.ts';
import { openshiftDialect } from '../../../../../lib/dialects/envelope/openshiftDialect.ts';
import { plainDialect } from '../../../../../lib/dialects/envelope/statusAnswer.ts';
import type { JobStatus } from '../../../../../lib/jobs/progress.ts';

const wordFor = (dialect: EnvelopeDialect, status: JobStatus) =>
  Object.fromEntries(dialect.status([{ status }]).members).l_status;

describe('the word that status has for a job', () => {
  it.each([
    ['of the host or an engine', plainDialect],
    ['of a cluster', openshiftDialect],
  ])('%s holds "finished" when the job has ended in any way: clients wait for it', (_, dialect) => {
    const ends: readonly JobStatus[] = ['finishedSuccessfully', 'finishedWithError', 'lost'];
    for (const end of ends) expect(String(wordFor(dialect, end))).toContain('finished');
    expect(wordFor(dialect, 'lost')).toEqual(['finishedWithError']);
    for (const other of ['notstarted', 'started'] as const) {
      expect(String(wordFor(dialect, other))).not.toContain('finished');
    }
  });
});
