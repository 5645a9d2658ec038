import type { IncomingMessage, ServerResponse } from 'node:http';
import { keepNameless } from '../transfer/namelessFile.ts';
import { answerJson } from './answer.ts';
import { answerFields } from './answerFields.ts';
import type { Handled, RequestContext } from './context.ts';
import { openForm } from './form.ts';
import { isFileMode, placeOf, readPush } from './push/pushRequest.ts';
import { receivePush } from './push/receivePush.ts';

/** Answers a multipart form: a push, or the message of a form without content. @throws PmanError */
export async function answerForm(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
): Promise<Handled> {
  const form = await openForm(request);
  const { before, content, all } = form;
  if (content === undefined) return answerFields(before, form.bytes(), response, context);
  try {
    context.permit('push');
    const isDescribed = before.has('d_msg') && (before.has('encoding') || isFileMode(request));
    // The content came before what says where it goes: keep it, nameless, until the form is read.
    const kept = isDescribed ? undefined : await keepNameless(content, context.places.storeBase);
    try {
      const push = readPush(kept === undefined ? before : await all, request, all);
      context.permit('push', placeOf(push));
      const report = await receivePush(kept?.read() ?? content, push, context);
      answerJson(response, report);
    } finally {
      await kept?.close();
    }
  } catch (error) {
    form.giveUp(error);
    throw error;
  }
  return 'transfer';
}
