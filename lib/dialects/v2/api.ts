import { z } from 'zod';
import { type Soon, whenThere } from '../../concurrency/soon.ts';
import { BadRequestError } from '../../errors.ts';
import { MAX_NAME_BYTES } from '../../tree/paths.ts';
import type { JsonValue } from '../../wire/json.ts';
import { problemsText } from '../../wire/problems.ts';
import type { Answer, ApiCall, ApiContext, ApiReply, Route } from './apiRoute.ts';
import { openApi } from './openApi.ts';
import { problem } from './problem.ts';
import { routes } from './routes.ts';
import { boundWords, issueWords } from './schemaWords.ts';
import { WrittenJson } from './writtenJson.ts';

export interface ApiRequest {
  readonly method: string;
  /** The request target, in origin form. */
  readonly target: string;
  readonly header: (name: string) => string | undefined;
  /** Reads the body: its JSON, and what came along for a job to read; undefined when there is none. */
  readonly body: () => Soon<{ readonly json: JsonValue | undefined; readonly input?: Buffer }>;
  readonly signal: AbortSignal;
}

/** Whether a request is one for `/api/v2`, or for what belongs to it. The original's paths begin otherwise. */
export function isApiRequest(target: string): boolean {
  return /^\/(api\/v2(\/|\?|$)|openapi\.json(\?|$))/.test(target);
}

/**
 * Answers a request of `/api/v2`.
 * @throws PmanError for what cannot be done: `problemReply` makes an answer of it
 */
export function answerApi(request: ApiRequest, context: ApiContext): Soon<Answer> {
  const mark = request.target.indexOf('?');
  const path = mark < 0 ? request.target : request.target.slice(0, mark);
  const queryText = mark < 0 ? '' : request.target.slice(mark + 1);
  const pieces = path.replace(/\/$/, '').split('/');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (path === '/openapi.json' || path === '/api/v2/openapi.json') {
    return method === 'GET' ? { status: 200, body: writtenDocument() } : noMethod(method, ['GET']);
  }
  const found = routeFor(method, pieces);
  if (found === undefined) {
    const others = templates.filter(({ names }) => paramsIn(names, pieces) !== undefined);
    return others.length === 0
      ? noPath(path)
      : noMethod(
          method,
          others.map(({ route }) => route.method),
        );
  }
  const { route, params } = found;
  context.permit(route.deed ?? 'GET');
  const call = { request, route, params, queryText, context };
  return route.body === undefined
    ? handle(call, undefined)
    : whenThere(request.body(), (sent) => handle(call, sent));
}

let written: WrittenJson | undefined;

/** Made once: that takes as long as hundreds of other requests. */
function writtenDocument(): WrittenJson {
  written ??= new WrittenJson(JSON.stringify(openApi()));
  return written;
}

interface Call {
  readonly request: ApiRequest;
  readonly route: Route;
  /** As they stand in the path and the query. */
  readonly params: Record<string, string>;
  readonly queryText: string;
  readonly context: ApiContext;
}

function handle(
  { request, route, params, queryText, context }: Call,
  sent: Awaited<ReturnType<ApiRequest['body']>> | undefined,
): Soon<Answer> {
  if (sent?.input !== undefined && route.takesInput !== true) {
    throw new BadRequestError('this path takes no form', { hint: 'send JSON' });
  }
  const checkedCall = new CheckedCall(request, {
    params: checked('path', route.params, params),
    query: checked('query', queryOf(route, queryText), queryIn(queryText)),
    body: route.body === undefined ? undefined : checked('body', route.body, sent?.json),
    input: sent?.input,
  });
  return route.handle(checkedCall, context);
}

/** A class: V8 keeps what a getter in a literal can reach for longer than a request takes. */
class CheckedCall implements ApiCall<unknown, unknown, unknown> {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly input: Buffer | undefined;
  readonly header: ApiRequest['header'];
  readonly #request: ApiRequest;

  constructor(
    request: ApiRequest,
    parts: Pick<ApiCall<unknown, unknown, unknown>, 'params' | 'query' | 'body' | 'input'>,
  ) {
    this.params = parts.params;
    this.query = parts.query;
    this.body = parts.body;
    this.input = parts.input;
    this.header = request.header;
    this.#request = request;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }
}

/** The first route that is for a path and a verb, and what the path has in the places of its parameters. */
function routeFor(method: string, pieces: readonly string[]) {
  for (const { route, names } of templates) {
    if (route.method !== method) continue;
    const params = paramsIn(names, pieces);
    if (params !== undefined) return { route, params };
  }
  return undefined;
}

/** A path that has no words for a query takes none: what means nothing there is refused, as in a body. */
const NO_QUERY = z.strictObject({});

const queryOf = ({ query }: Route, text: string): z.ZodType | undefined =>
  query ?? (text === '' ? undefined : NO_QUERY);

/** The members of a query: a list of those that are there several times. */
function queryIn(text: string): Record<string, string | string[]> {
  if (text === '') return {};
  const query = new URLSearchParams(text);
  return Object.fromEntries(
    [...new Set(query.keys())].map((name) => {
      const [first = '', ...others] = query.getAll(name);
      return [name, others.length === 0 ? first : [first, ...others]];
    }),
  );
}

/** A piece of a path's template: itself, or the name of the parameter in its place. */
interface Name {
  readonly piece: string;
  readonly param: string | undefined;
}

const NO_NAME: Name = { piece: '', param: undefined };

const templates = routes.map((route) => ({
  route,
  names: route.path
    .split('/')
    .map((piece): Name => ({ piece, param: /^\{(.*)\}$/.exec(piece)?.[1] })),
}));

/** The pieces of a path that stand for `{…}` in its template; undefined for another path. */
function paramsIn(
  names: readonly Name[],
  pieces: readonly string[],
): Record<string, string> | undefined {
  // The last parameter of this name is a path of its own.
  const takesRest = names.at(-1)?.piece === '{path}' && pieces.length > names.length;
  if (names.length !== pieces.length && !takesRest) return undefined;
  const params: Record<string, string> = {};
  for (let i = 0; i < names.length; i += 1) {
    const { piece: name, param } = names[i] ?? NO_NAME;
    const isRest = takesRest && i === names.length - 1;
    const piece = isRest ? pieces.slice(i).join('/') : (pieces[i] ?? '');
    if (param === undefined ? name !== piece : piece === '') return undefined;
    if (param !== undefined) params[param] = decoded(piece);
  }
  return params;
}

/** @throws BadRequestError for what no file can be called */
function decoded(piece: string): string {
  const text = unescaped(piece);
  if (text.includes('\0')) throw new BadRequestError('the path has a NUL character');
  if (text.split('/').some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)) {
    throw new BadRequestError(`the path has a name of more than ${MAX_NAME_BYTES} bytes`);
  }
  return text;
}

function unescaped(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    throw new BadRequestError('the path has a % that is no escape');
  }
}

function checked(where: string, schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return value;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // With words of our own it takes twice as long: what fits, which is most of it, is not looked at with them.
  const { issues } = schema.safeParse(value, { error: boundWords }).error ?? parsed.error;
  const problems = problemsText(issues, (issue) => issueWords(issue, { where, value, schema }));
  throw new BadRequestError(`the ${where}: ${problems}`, { hint: 'see /openapi.json' });
}

function noPath(path: string): ApiReply {
  return problem(404, 'not_found', `there is no ${path.slice(0, 200)}`, 'see /openapi.json');
}

function noMethod(method: string, methods: readonly Route['method'][]): ApiReply {
  const allowed = methods.flatMap((one) => (one === 'GET' ? ['GET', 'HEAD'] : [one])).join(', ');
  const detail = `this path takes ${allowed}, and not ${method.slice(0, 20)}`;
  const said = problem(405, 'bad_request', detail, 'see /openapi.json');
  return { ...said, headers: [...(said.headers ?? []), ['Allow', allowed]] };
}
