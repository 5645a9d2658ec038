import { whenThere } from '../concurrency/soon.ts';
import { keepHeaders } from '../gateway/httpReply.ts';
import type { RequestHandler } from '../gateway/types.ts';
import type { Exposition } from '../metrics/exposition.ts';
import { readPayload } from '../wire/payload.ts';
import { makeApiHandler } from './apiHandler.ts';
import { byLines } from './byLines.ts';
import { type AnswerOptions, EnvelopeAnswer, type EnvelopeOptions } from './envelopeAnswer.ts';
import { jsonHeaders } from './headers.ts';
import { metricsReply } from './metricsReply.ts';
import { pagePathIn, pageReply } from './pageReply.ts';
import { probeIn, probeReply } from './readiness.ts';

export interface HandlerOptions extends EnvelopeOptions {
  /** The figures for operators, in the form that is accepted. */
  readonly metrics: (accept: string | undefined) => Promise<Exposition>;
  /** Why the server should get no requests now; undefined when it may. */
  readonly isReady: () => Promise<string | undefined>;
}

/** From a request that was let in to its reply; whatever happens, there is one. */
export function makeHandler(options: HandlerOptions): RequestHandler {
  const answerApi = makeApiHandler(options);
  const keptLines = byLines((head) => keepHeaders(jsonHeaders(head, options)));
  const forAnswers: AnswerOptions = {
    ...options,
    jsonHeaders: (head) =>
      head.lines === undefined ? jsonHeaders(head, options) : keptLines(head),
  };
  return (request) => {
    const probe = probeIn(request);
    if (probe === 'readyz') return options.isReady().then(probeReply);
    if (probe !== undefined) return probeReply(undefined);
    const page = pagePathIn(request);
    if (page !== undefined) return pageReply(page, request, !options.pages.hasTokens);
    const reply = metricsReply(request, options) ?? answerApi(request);
    if (reply !== undefined) return reply;
    return whenThere(readPayload(request.body), (payload) =>
      new EnvelopeAnswer(forAnswers, request, payload).make(),
    );
  };
}
