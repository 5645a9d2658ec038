import type { JobReport } from '../../jobs/backend.ts';
import type { JsonObject } from '../../wire/json.ts';

/**
 * What `result` tells of a job, one element a part. A part that runs has a `returncode` of null and shows what it has written
 * so far. Not of the original, but its README promises it.
 * @param place where a job that waits for others stands, from 1 on
 */
export function resultAnswer(
  root: string,
  report: JobReport,
  place: number | undefined,
): JsonObject {
  const parts = report.parts();
  const { status, note, jobCause } = report;
  return {
    jobRoot: root,
    status,
    cmd: parts.map(({ cmd }) => cmd),
    returncode: parts.map(({ exitCode }) => exitCode),
    stdout: parts.map(({ stdout }) => stdout),
    stderr: parts.map(({ stderr }) => stderr),
    cause: parts.map(({ cause }) => cause),
    ...(place === undefined ? {} : { place }),
    ...(jobCause === undefined ? {} : { jobCause }),
    ...(note === undefined ? {} : { note }),
  };
}
