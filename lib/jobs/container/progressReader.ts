import { progressOf, type ReadProgress } from '../progress.ts';
import { isContainerRecord } from '../recordKinds.ts';
import type { ReadShown } from './engine.ts';
import { recordedContainer, recordedReturnCode } from './recorded.ts';

/**
 * Reads records of jobs of any kind. The sub-job of a container job only says that it was scheduled (protocol g): its container
 * node says the rest.
 * @param readShown reads what the record shows of an ended worker
 */
export function progressReader(readShown: ReadShown): ReadProgress {
  return (record) => {
    const progress = progressOf(record);
    if (!isContainerRecord(record)) return progress;
    const { status, isFinal } = recordedContainer(record, readShown);
    return {
      ...progress,
      returncodes: progress.returncodes.map((code) => recordedReturnCode(record, readShown, code)),
      isDone: isFinal,
      status: progress.status === 'lost' ? 'lost' : status,
    };
  };
}
