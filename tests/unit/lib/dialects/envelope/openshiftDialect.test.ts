import { describe, expect, it } from '@jest/globals';
import { openshiftDialect } from '../../../../../lib/dialects/envelope/openshiftDialect.ts';
import type { JobReport } from '../../../../../lib/jobs/backend.ts';

const report = (of: Partial<JobReport>): JobReport => ({
  ...{ status: 'started', combined: '', parts: () => [] },
  ...of,
});
const status = (...reports: readonly JobReport[]) => {
  const { status: told, members } = openshiftDialect.status(reports);
  return { told, ...Object.fromEntries(members) };
};

describe('the answers of a pman of a cluster', () => {
  it('describe a job as the original does, times and nothing at all included', () => {
    const Status = {
      ...{ Message: 'x', State: 'y', Reason: null, Active: null, Failed: null, Succeeded: 1 },
      ...{ StartTime: '2021-02-03T04:05:06Z', CompletionTime: null },
    };
    expect(status(report({ status: 'finishedSuccessfully', shown: { Status } }))).toMatchObject({
      told: "['finished']",
      description:
        "{'Message': 'finished', 'State': 'complete', 'Reason': None, 'Active': None, 'Failed': None, " +
        "'Succeeded': 1, 'StartTime': datetime.datetime(2021, 2, 3, 4, 5, 6, tzinfo=tzlocal()), " +
        "'CompletionTime': None}",
    });
  });

  it('name each pod before what it has written, once the job has ended', () => {
    const outputs = [
      { label: 'a', length: 4 },
      { label: 'b', length: 3 },
    ];
    const combined = 'one\ntwo';
    const ended = report({ status: 'finishedWithError', combined, outputs });
    expect(status(ended)).toMatchObject({
      l_logs: 'a:one\nb:two',
      l_status: ['finishedWithError'],
    });
    expect(status(report({ combined, outputs }))).toMatchObject({ l_logs: 'started' });
  });

  it('say that there is no such job in the words of the original', () => {
    expect(status()).toEqual({
      ...{ told: 'Not Found', description: 'Not Found' },
      ...{ l_logs: 'Not Found', l_status: 'Not Found' },
    });
  });

  it('escape what a reason may hold', () => {
    const shown = { Status: { Reason: "it's" } };
    expect(status(report({ shown }))).toMatchObject({
      description: expect.stringContaining("'Reason': 'it\\'s'"),
    });
  });
});
