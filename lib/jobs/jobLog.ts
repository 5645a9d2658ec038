import type { Logger } from '../log.ts';
import { uuidOf } from '../records/jobRoot.ts';
import type { TreeNode } from '../tree/node.ts';
import type { JsonValue } from '../wire/json.ts';
import type { ReadProgress } from './progress.ts';

/** How much of a client's own words a line shows: enough to find the job. */
const SHOWN = 200;

/** Says that a job was accepted. Its command stays out of the log: it may hold secrets. */
export function logAccepted(
  log: Logger,
  root: string,
  { auid, jid }: { readonly auid: string; readonly jid: string },
): void {
  log.info('job accepted', { job: root, id: shortId(root), auid: cut(auid), jid: cut(jid) });
}

/** Says how a job has ended; of one that is lost as a warning. */
export function logEnded(
  log: Logger,
  root: string,
  record: TreeNode | undefined,
  progressOf: ReadProgress,
): void {
  if (record === undefined) return;
  const { status, returncodes, entries } = progressOf(record);
  const causes = [
    record.leaves.get('lost'),
    record.leaves.get('cause'),
    record.cat(['container', 'cause']),
    ...[...entries].reverse().map(({ cause }) => cause),
  ];
  const cause = causes.find((one) => typeof one === 'string' && one !== '');
  const fields = {
    ...{ job: root, id: shortId(root), auid: cut(record.leaves.get('auid')), status },
    returncode: returncodes.at(-1) ?? null,
    ...(cause === undefined ? {} : { cause: cut(cause) }),
  };
  if (status === 'lost') log.warn('job lost', fields);
  else log.info('job ended', fields);
}

const shortId = (root: string) => uuidOf(root).slice(0, 8);
const cut = (value: JsonValue | undefined) => String(value ?? '').slice(0, SHOWN);
