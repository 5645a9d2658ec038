import type { ActionContext, Services } from '../actions/action.ts';
import { actions } from '../actions/index.ts';
import type { LongWork } from '../concurrency/longWork.ts';
import { BadRequestError, messageOf } from '../errors.ts';
import type { ActionResult } from '../wire/reply.ts';
import { type Command, parseMeta, requireSmallMeta } from '../wire/request.ts';

/**
 * Does what a command asks for. A threaded command whose action does not see to that itself is begun and answered
 * at once, without a result (protocol a.5).
 * @throws BadRequestError for an unknown action or a meta that does not fit; what the action throws
 */
export async function dispatch(
  services: Services,
  command: Command,
  pace?: LongWork,
): Promise<ActionResult> {
  const action = actions.get(command.action);
  if (action === undefined) {
    throw new BadRequestError(`there is no action ${JSON.stringify(command.action.slice(0, 80))}`, {
      hint: `actions are ${[...actions.keys()].join(', ')}`,
    });
  }
  if (action.metaLimits) requireSmallMeta(command, action.metaLimits);
  const meta = parseMeta(action.schema, command);
  const { rawMeta, threaded } = command;
  const context: ActionContext = { services, rawMeta, threaded, pace };
  if (!threaded || action.handlesThreaded) return action.handle(meta, context);
  const unhurried = { ...context, pace: undefined };
  void begin(async () => action.handle(meta, unhurried), services, command.action);
  return { status: true };
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
