import type { ServerResponse } from 'node:http';
import { BadRequestError } from '../errors.ts';
import { answerJson } from './answer.ts';
import { answerCopy } from './answerCopy.ts';
import type { Handled, RequestContext } from './context.ts';
import type { Fields } from './form.ts';
import { checkMeta, parseControl } from './meta.ts';
import { answerQuit, isQuit } from './serverQuit.ts';

/** Answers a form without content: quit, a copy, or nothing that the server knows. @throws PmanError */
export async function answerFields(
  fields: Fields,
  formBytes: number,
  response: ServerResponse,
  context: RequestContext,
): Promise<Handled> {
  const text = fields.get('d_msg');
  if (text === undefined) throw new BadRequestError('the form has no field d_msg');
  const message = parseControl(text);
  if (isQuit(message.meta)) return answerQuit(response, context);
  const { transport, remote, local } = checkMeta(message.meta);
  if (transport?.copy !== undefined) {
    const { symlink = false } = transport.copy;
    context.permit('copy', remote?.path ?? remote?.key);
    await answerCopy(response, context, { verb: 'push', from: local, to: remote, symlink });
    return 'transfer';
  }
  context.permit('message');
  if (transport?.compress !== undefined) throw new BadRequestError('the form has no field local');
  answerJson(response, { msg: 'In do_POST', status: true, formsize: formBytes });
  return 'message';
}
