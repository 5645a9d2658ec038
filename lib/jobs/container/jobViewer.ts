import type { TreeNode } from '../../tree/node.ts';
import { fromEchoForm } from '../echoForm.ts';
import { hostView, type JobView, textOf, timeOf, type ViewJob } from '../jobView.ts';
import { isContainerRecord } from '../recordKinds.ts';
import type { ReadShown } from './engine.ts';
import { recordedContainer, recordedExitCode } from './recorded.ts';

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
  const hasStarted = status === 'started' || exitCode !== null;
  return {
    ...scheduled,
    ...{ isContainer: true, command, isDone: isFinal, endedAt },
    status: scheduled.status === 'lost' ? 'lost' : status,
    cause: textOf(record.cat(['container', 'cause'])) ?? null,
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
