import type { ServerResponse } from 'node:http';
import { answerJson } from './answer.ts';
import type { Handled, RequestContext } from './context.ts';

/** Whether the `meta` of a message is a command to the server itself, known or not. */
export function hasControl(meta: unknown): meta is { ctl: unknown } {
  return typeof meta === 'object' && meta !== null && 'ctl' in meta;
}

/** Whether the `meta` of a message tells the server to end. */
export function isQuit(meta: unknown): boolean {
  if (!hasControl(meta)) return false;
  const { ctl } = meta;
  return typeof ctl === 'object' && ctl !== null && 'serverCmd' in ctl && ctl.serverCmd === 'quit';
}

/** Says that the server ends, and ends it when that has been sent. */
export function answerQuit(response: ServerResponse, context: RequestContext): Handled {
  context.permit('quit');
  response.setHeader('Connection', 'close');
  response.once('finish', context.quit);
  answerJson(response, { msg: 'Server shut down', status: true });
  return 'message';
}
