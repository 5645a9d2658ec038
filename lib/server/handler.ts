import type { Services } from '../actions/action.ts';
import { put } from '../actions/put.ts';
import { BadRequestError, messageOf, PmanError } from '../errors.ts';
import type { GatewayReply, GatewayRequest, RequestHandler } from '../gateway/types.ts';
import { lookup } from '../tree/lookup.ts';
import { type JsonValue, parseJson } from '../wire/json.ts';
import { dumps } from '../wire/pythonJson.ts';
import { type ActionResult, errorMember, type ReplyBody, statusOf } from '../wire/reply.ts';
import { type Command, parseEnvelope } from '../wire/request.ts';
import type { Authenticator } from './auth.ts';
import { dispatch } from './dispatch.ts';
import { echoOf, pathOf, payloadEcho } from './echo.ts';
import type { Listeners } from './listeners.ts';

export interface HandlerOptions {
  readonly services: Services;
  readonly listeners: Listeners;
  readonly authenticator: Authenticator;
  /** `--http`: the original's content type and its CORS header (protocol a.2). */
  readonly httpMode: boolean;
}

/** What a verb contributes to the reply, on top of the echo. */
type Answer = Partial<ReplyBody> & { readonly status: JsonValue };

/** The original answers with an indent of four blanks. */
const INDENT = 4;

/** From a request to its reply: the one place where an error becomes an answer, so that none costs a listener. */
export function makeHandler(options: HandlerOptions): RequestHandler {
  const { services, listeners, authenticator } = options;
  return async (request) => {
    const body = decode(request.body);
    const payload = (body ?? '').replace(/\r?\n$/, '');
    const echo = echoOf(request, payload, authenticator);
    let httpStatus = 200;
    let answer: Answer;
    try {
      requireToken(authenticator, request);
      if (body === undefined) throw new BadRequestError('the body is not UTF-8 text');
      answer = await listeners.work(request.signal, () => answerTo(services, request, payload));
    } catch (error) {
      httpStatus = statusOf(error);
      if (!(error instanceof PmanError)) {
        services.log.error('a request failed', { target: pathOf(request.target), error });
      }
      const known = httpStatus === 401 ? {} : payloadEcho(payload);
      answer = { status: false, ...known, error: errorMember(error) };
    }
    return toReply({ ...inOrder(echo, answer) }, httpStatus, request, options);
  };
}

function requireToken(authenticator: Authenticator, { authorization }: GatewayRequest): void {
  if (authenticator.accepts(authorization)) return;
  throw new PmanError(
    'unauthorized',
    authorization === undefined ? 'this server wants a token' : 'the token is not known here',
    { hint: 'send the header "Authorization: Bearer <token>"' },
  );
}

async function answerTo(
  services: Services,
  request: GatewayRequest,
  payload: string,
): Promise<Answer> {
  const known = payloadEcho(payload);
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      if (payload !== '') parseEnvelope(parseJson(payload));
      return { ...known, ...read(services, request.target) };
    }
    case 'POST':
      return { ...known, ...(await post(services, payload)) };
    case 'PUT':
      return { ...known, ...(await putVerb(services, payload)) };
    case 'OPTIONS':
      if (payload !== '') parseJson(payload);
      return { ...known, status: false };
    default:
      throw new BadRequestError(`the verb ${request.method} means nothing here`, {
        hint: 'GET reads the tree, POST dispatches an action, PUT works on the database',
      });
  }
}

function read(services: Services, target: string): Answer {
  const found = lookup(services.database, pathOf(target));
  if (found !== undefined) return { status: true, GET: found };
  throw new PmanError('not_found', `there is no job ${pathOf(target).split('/')[3] ?? ''}`, {
    hint: 'GET /api/v1 lists the jobs',
  });
}

async function post(services: Services, payload: string): Promise<Answer> {
  const command = parseEnvelope(parseJson(requirePayload(payload)));
  const result: ActionResult = await dispatch(services, command);
  return {
    status: result.status,
    action: command.action,
    meta: command.rawMeta,
    ...(result.result === undefined ? {} : { d_ret: result.result }),
  };
}

/** PUT knows the action `run` only; `quit` reads as done and does nothing (protocol a.4, a.8). */
async function putVerb(services: Services, payload: string): Promise<Answer> {
  const command: Command = parseEnvelope(parseJson(requirePayload(payload)));
  if (command.action === 'quit') return { status: true };
  if (command.action !== 'run') {
    throw new BadRequestError('PUT knows the action "run" only', {
      hint: 'send other actions with POST',
    });
  }
  await put(services, command);
  return { status: true, action: command.action };
}

function requirePayload(payload: string): string {
  if (payload.trim() !== '') return payload;
  throw new BadRequestError('the request has no body', {
    hint: 'the form is {"payload": {"action": "<name>", "meta": {…}}}',
  });
}

/** The members in the order of protocol a.4. */
function inOrder(echo: ReturnType<typeof echoOf>, answer: Answer): ReplyBody {
  return {
    status: answer.status,
    RESTheader: echo.RESTheader,
    RESTverb: echo.RESTverb,
    action: answer.action ?? '',
    path: echo.path,
    receivedByServer: echo.receivedByServer,
    ...pick(answer, 'GET'),
    ...pick(answer, 'client_json_payload'),
    ...pick(answer, 'client_json_len'),
    ...pick(answer, 'payloadsize'),
    ...pick(answer, 'meta'),
    ...pick(answer, 'd_ret'),
    ...pick(answer, 'error'),
  };
}

function pick<K extends keyof Answer>(answer: Answer, key: K): Pick<Answer, K> | object {
  return answer[key] === undefined ? {} : { [key]: answer[key] };
}

function toReply(
  body: ReplyBody,
  status: number,
  request: GatewayRequest,
  { httpMode }: HandlerOptions,
): GatewayReply {
  const bytes = Buffer.from(dumps({ ...body } as unknown as JsonValue, INDENT), 'latin1');
  return {
    status,
    headers: [
      ['Content-Length', String(bytes.length)],
      ['Content-Type', contentType(request, httpMode)],
      ...(httpMode ? [['Access-Control-Allow-Origin', '*'] as const] : []),
      ...(httpMode && request.method === 'OPTIONS' ? PREFLIGHT : []),
      ...(status === 401 ? [['WWW-Authenticate', 'Bearer'] as const] : []),
    ],
    body: bytes,
  };
}

/** What a browser's preflight wants to know before it sends JSON. */
const PREFLIGHT: GatewayReply['headers'] = [
  ['Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, OPTIONS'],
  ['Access-Control-Allow-Headers', 'Authorization, Content-Type'],
];

/** `application/html` is the original's; a browser would offer it for download, so that who names a type gets JSON's own. */
function contentType({ rawHeaders }: GatewayRequest, httpMode: boolean): string {
  if (!httpMode) return 'application/json';
  const accept = rawHeaders.find(([name]) => name.toLowerCase() === 'accept')?.[1] ?? '';
  return /text\/html|application\/json/.test(accept) ? 'application/json' : 'application/html';
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return '';
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (messageOf(error).includes('not valid')) return undefined;
    throw error;
  }
}
