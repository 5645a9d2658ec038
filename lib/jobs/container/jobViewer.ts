import type { TreeNode } from '../../tree/node.ts';
import { isStartCause, isUnseenEnd } from '../causeWords.ts';
import { fromEchoForm } from '../echoForm.ts';
import { hostView, type JobView, textOf, timeOf, type ViewJob } from '../jobView.ts';
import { isContainerRecord } from '../recordKinds.ts';
import type { ReadShown, ShownEnd } from './engine.ts';
import { recordedContainer, recordedEnd, recordedExitCode } from './recorded.ts';

/**
 * Reads how jobs of any kind stand, from their records.
 * @param readShown reads what a record shows of an ended worker
 */
export function jobViewer(readShown: ReadShown): ViewJob {
  return (record) => {
    const view = hostView(record);
    return isContainerRecord(record) ? containerView(record, view, readShown) : view;
  };
}

/** The parts of the record only say that the job was scheduled (protocol g): its container node says the rest. */
function containerView(record: TreeNode, scheduled: JobView, readShown: ReadShown): JobView {
  const { status, isFinal } = recordedContainer(record, readShown);
  const command = fromEchoForm(scheduled.command);
  const [entry] = scheduled.parts;
  const exitCode = recordedExitCode(record, readShown);
  // The engine may know its end to the second only, and has a clock of its own: it is never before the start.
  const endstamp = timeOf(record.cat(['container', 'endstamp']));
  const endedAt = endstamp === null ? null : Math.max(endstamp, entry?.startedAt ?? 0);
  const cause = textOf(record.cat(['container', 'cause'])) ?? null;
  const hasStarted =
    status === 'started' ||
    exitCode !== null ||
    (isFinal && entry?.exitCode === 0 && mayHaveRun(cause, recordedEnd(record, readShown)));
  return {
    ...scheduled,
    ...{ isContainer: true, command, isDone: isFinal, endedAt },
    status: scheduled.status === 'lost' ? 'lost' : status,
    cause,
    parts: hasStarted
      ? [
          {
            ...{ command, exitCode, hasEnded: isFinal, cause: null, endedAt },
            startedAt: entry?.startedAt ?? null,
            usage: null,
          },
        ]
      : [],
  };
}

/**
 * Whether some of a job that was handed to the engine may have run, though it has no exit code: it was removed, or its engine was
 * stopped under it. Who takes it for one that was never started may run it twice.
 */
function mayHaveRun(cause: string | null, end: ShownEnd | undefined): boolean {
  // It may have started since it was seen last.
  if (cause !== null && isUnseenEnd(cause)) return true;
  return end?.hasRun ?? (cause === null || !isStartCause(cause));
}
