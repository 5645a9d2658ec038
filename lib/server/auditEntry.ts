import type { Deed } from '../access/auditLog.ts';
import type { Caller } from '../access/caller.ts';
import type { GatewayRequest } from '../gateway/types.ts';
import type { Told } from './verbs.ts';

/** What the audit log keeps of a request that was let in: no header, no command, no environment. */
export function deedOf(
  { method, target }: Pick<GatewayRequest, 'method' | 'target'>,
  caller: Pick<Caller, 'name' | 'from'>,
  told: Told,
  { status, error, jobs }: Pick<Deed, 'status' | 'error' | 'jobs'>,
): Deed {
  const meta = typeof told.meta === 'object' && told.meta !== null ? told.meta : {};
  const isAction = told.action !== undefined && told.action !== '';
  return {
    program: 'pman',
    action: isAction ? String(told.action) : method,
    caller,
    status,
    error,
    jobs,
    jid: textIn(meta, 'jid') ?? searched(meta, 'jid'),
    auid: textIn(meta, 'auid') ?? searched(meta, 'auid'),
    path: isAction ? undefined : target.split('?')[0],
  };
}

function textIn(meta: object, name: string): string | undefined {
  if (!Object.hasOwn(meta, name)) return undefined;
  const value: unknown = Reflect.get(meta, name);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** What a search is for, when it is for a name of a job or of its owner. */
function searched(meta: object, key: string): string | undefined {
  return textIn(meta, 'key') === key ? textIn(meta, 'value') : undefined;
}
