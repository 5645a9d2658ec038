import { parseJsonOrUndefined, reformatJson } from '../transfer/jsonText.ts';
import { dumps } from '../wire/pythonJson.ts';
import { PurlFailure } from './failure.ts';
import { type ClientOptions, readText, send } from './http/httpClient.ts';
import { type Message, messageBody, messageQuery } from './jsonMessage.ts';

/** What goes to standard output, and what went wrong if something did. */
export interface Outcome {
  readonly what: 'message' | 'transfer';
  readonly text: string;
  readonly failure?: PurlFailure;
}

export interface TalkOptions {
  readonly url: URL;
  readonly verb: string;
  readonly raw: boolean;
  readonly jsonwrapper: string;
  readonly contentType: string;
  readonly client: ClientOptions;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends one message and reports the answer: with `raw` the server's JSON on one line, else
 * `{"stdout": answer, "status": its status, "msg": "push OK."}`. When no answer comes the reason is
 * reported in its place, as the original does, with `status` false.
 */
export async function talk(message: Message, options: TalkOptions): Promise<Outcome> {
  let body: string | undefined;
  let failure: PurlFailure | undefined;
  try {
    const answer = await sendMessage(message, options);
    body = await readText(answer);
    const { statusCode = 0, statusMessage = '' } = answer;
    if (statusCode >= 400) {
      failure = new PurlFailure(
        'httpStatus',
        `${options.url.host} answered ${statusCode} ${statusMessage}`,
      );
    }
  } catch (error) {
    if (!(error instanceof PurlFailure)) throw error;
    failure = error;
  }
  const text =
    body === undefined
      ? reportFailure(failure?.message ?? '', options)
      : options.verb === 'GET'
        ? jsonLine(body)
        : report(body, options.raw);
  return { what: 'message', text, ...(failure && { failure }) };
}

function sendMessage(message: Message, options: TalkOptions) {
  const { url, verb, client, signal } = options;
  if (verb === 'GET') {
    const target = new URL(url);
    target.search = messageQuery(message);
    return send({ method: 'GET', url: target, oldPeer: true, signal }, client);
  }
  const type = options.contentType || 'application/x-www-form-urlencoded';
  const body = messageBody(message, options.jsonwrapper);
  return send(
    { method: verb, url, headers: [['Content-type', type]], body, oldPeer: true, signal },
    client,
  );
}

function reportFailure(why: string, { verb, raw }: TalkOptions): string {
  if (verb === 'GET' || raw) return jsonLine(why);
  return dumps({ stdout: why, status: false, msg: why });
}

/** The report of a message sent, from the text of the answer. */
export function report(body: string, raw: boolean): string {
  const answer = jsonLine(body);
  if (raw) return answer;
  const value = parseJsonOrUndefined(body);
  const hasStatus = typeof value === 'object' && value !== null && 'status' in value;
  const status = hasStatus ? `, "status": ${JSON.stringify(value.status)}` : '';
  return reformatJson(`{"stdout": ${answer}${status}, "msg": "push OK."}`);
}

/** A JSON text on one line; a text that is not JSON as a JSON string. */
export function jsonLine(body: string): string {
  return parseJsonOrUndefined(body) === undefined ? JSON.stringify(body) : reformatJson(body);
}
