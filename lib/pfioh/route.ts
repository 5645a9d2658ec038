import type { IncomingMessage, ServerResponse } from 'node:http';
import { PmanError } from '../errors.ts';
import { answerBody } from './answerBody.ts';
import { answerForm } from './answerForm.ts';
import { answerQuery } from './answerQuery.ts';
import { authorize } from './authorize.ts';
import type { Handled, RequestContext } from './context.ts';
import { answerPreflight, isPreflight } from './preflight.ts';

/** Has a request answered by its kind. The path of the URL does not matter. @throws PmanError */
export async function route(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
): Promise<Handled> {
  if (isPreflight(request)) return answerPreflight(response);
  await authorize(request, response, context);
  if (request.method === 'GET' || request.method === 'HEAD') {
    return answerQuery(request, response, context);
  }
  if (request.method !== 'POST') {
    throw new PmanError('not_implemented', `pfioh answers GET and POST, not ${request.method}`);
  }
  const isForm = /^multipart\/form-data/i.test(request.headers['content-type'] ?? '');
  return isForm ? answerForm(request, response, context) : answerBody(request, response, context);
}
