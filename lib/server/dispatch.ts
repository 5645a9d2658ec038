import type { Caller } from '../access/caller.ts';
import { requireScope } from '../access/scopes.ts';
import type { ActionContext, Services } from '../actions/action.ts';
import { actions } from '../actions/index.ts';
import type { LongWork } from '../concurrency/longWork.ts';
import type { Soon } from '../concurrency/soon.ts';
import { BadRequestError, messageOf, PmanError } from '../errors.ts';
import type { ActionResult } from '../wire/reply.ts';
import { type Command, parseMeta, requireSmallMeta } from '../wire/request.ts';

/**
 * Does what a command asks for. A threaded command whose action does not see to that itself is begun and answered
 * at once, without a result (protocol a.5).
 * @throws PmanError forbidden for what the caller may not do; BadRequestError for an unknown action or a meta that does
 * not fit; what the action throws
 */
export function dispatch(
  services: Services,
  command: Command,
  {
    caller,
    pace,
    trace,
    input,
  }: Pick<ActionContext, 'caller' | 'trace' | 'input'> & { readonly pace?: LongWork | undefined },
): Soon<ActionResult> {
  const action = actions.get(command.action);
  if (action === undefined) {
    throw new BadRequestError(`there is no action ${JSON.stringify(command.action.slice(0, 80))}`, {
      hint: `actions are ${[...actions.keys()].join(', ')}`,
    });
  }
  requireScope(caller, 'pman', command.action);
  requireOwnAuid(caller, command);
  if (action.metaLimits) requireSmallMeta(command, action.metaLimits);
  const meta = parseMeta(action.schema, command);
  const { rawMeta, threaded } = command;
  const context: ActionContext = { services, rawMeta, threaded, caller, pace, input, trace };
  if (!threaded || action.handlesThreaded) return action.handle(meta, context);
  const unhurried = { ...context, pace: undefined };
  void begin(async () => action.handle(meta, unhurried), services, command.action);
  return { status: true };
}

/** A token with an auid acts as nobody else. */
function requireOwnAuid({ name, grant }: Caller, { action, rawMeta }: Command): void {
  if (grant?.auid === undefined || !Object.hasOwn(rawMeta, 'auid')) return;
  if (rawMeta.auid === grant.auid) return;
  throw new PmanError('forbidden', `${action}: the token ${name} does not act for that auid`, {
    hint: `it acts for ${JSON.stringify(grant.auid)}`,
  });
}

/** Nobody waits for how it ends: a failure goes to the log. */
async function begin(
  work: () => Promise<unknown>,
  { log }: Services,
  action: string,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn('a threaded request failed', { action, error: messageOf(error) });
  }
}
