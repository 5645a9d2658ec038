import type { Caller } from '../access/caller.ts';
import { requireScope } from '../access/scopes.ts';
import type { Services } from '../actions/action.ts';
import { rootPage } from '../actions/page.ts';
import { put } from '../actions/put.ts';
import type { LongWork } from '../concurrency/longWork.ts';
import { type Soon, whenThere } from '../concurrency/soon.ts';
import { BadRequestError, PmanError } from '../errors.ts';
import { lookup, namesNoJob } from '../tree/lookup.ts';
import type { Payload } from '../wire/payload.ts';
import { type ActionResult, errorMember, type ReplyBody } from '../wire/reply.ts';
import { actionIn, type Command, parseEnvelope } from '../wire/request.ts';
import type { TraceContext } from '../wire/traceContext.ts';
import { dispatch } from './dispatch.ts';
import { pathOf } from './echo.ts';
import { jobList, listQuery } from './jobList.ts';
import { PUT_MEMBERS, warningsOf } from './warnings.ts';

/** Members of the reply that a verb fills in as it goes; what is there when it throws is still told. */
export type Told = { -readonly [K in keyof ReplyBody]?: ReplyBody[K] };

export interface Obeyed {
  readonly method: string;
  /** As sent. */
  readonly target: string;
  readonly payload: Payload;
  readonly caller: Caller;
  readonly pace: LongWork;
  /** The trace that the request belongs to. */
  readonly trace?: TraceContext | undefined;
}

/** What is left of a request's work: what its answer waits for, and which jobs it was about. */
export type Done = { readonly [K in 'after' | 'jobs']?: ActionResult[K] | undefined };

/**
 * Does what a request's verb asks for (protocol a.4).
 * @param services as the caller sees them
 * @returns what the answer waits for, when it has to wait for something
 * @throws PmanError for a verb, an envelope or a command that cannot be obeyed
 */
export function obey(
  services: Services,
  { method, target, payload, caller, pace, trace }: Obeyed,
  told: Told,
): Soon<Done> {
  const by = { caller, pace, trace };
  switch (method) {
    case 'GET':
    case 'HEAD':
      return obeyGet(services, { target, payload, caller, pace }, told);
    case 'POST':
      return whenThere(commandIn(payload), (command) =>
        payload.characters <= SHORT
          ? act(services, command, by, told)
          : actSlowly(services, command, by, told),
      );
    case 'PUT':
      requireScope(caller, 'pman', 'PUT');
      return putVerb(services, payload, told, pace).then(nothingLeft);
    case 'OPTIONS':
      // The body is not looked at: nothing is ever done for this verb.
      told.status = false;
      return {};
    default:
      return obeyOther(method, payload, told);
  }
}

/** To look at all of a command's meta takes no time up to here, in characters of the body. */
const SHORT = 16 * 1024;

const nothingLeft = (): Done => ({});

async function obeyGet(
  services: Services,
  { target, payload, caller, pace }: Pick<Obeyed, 'target' | 'payload' | 'caller' | 'pace'>,
  told: Told,
): Promise<Done> {
  if (payload.characters > 0) actionIn(await payload.json());
  const hello = helloIn(target);
  if (hello !== undefined) return act(services, hello, { caller, pace }, told);
  requireScope(caller, 'pman', 'GET');
  await read(services, target, told, pace);
  return {};
}

/** To every verb but POST and OPTIONS `quit` reads as done and does nothing (protocol a.4). */
async function obeyOther(method: string, payload: Payload, told: Told): Promise<Done> {
  if (payload.characters > 0 && actionIn(await payload.json()) === 'quit') {
    told.status = true;
    return {};
  }
  throw new BadRequestError(`the verb ${method} means nothing here`, {
    hint: 'GET reads the tree, POST dispatches an action, PUT works on the database',
  });
}

/** Does what a command says, and tells. */
function act(
  services: Services,
  command: Command,
  by: Pick<Obeyed, 'caller' | 'pace' | 'trace'>,
  told: Told,
): Soon<Done> {
  told.action = command.action;
  told.meta = command.rawMeta;
  warn(told, warningsOf(command));
  return whenThere(dispatch(services, command, by), (result) => tell(result, told));
}

/** The same with a large meta: each step looks at all of it. */
async function actSlowly(
  services: Services,
  command: Command,
  by: Pick<Obeyed, 'caller' | 'pace' | 'trace'>,
  told: Told,
): Promise<Done> {
  told.action = command.action;
  told.meta = command.rawMeta;
  await othersFirst(by.pace);
  warn(told, warningsOf(command));
  await othersFirst(by.pace);
  const result = await dispatch(services, command, by);
  await othersFirst(by.pace);
  return tell(result, told);
}

function tell({ status, result, error, page, after, jobs }: ActionResult, told: Told): Done {
  told.status = status;
  if (error !== undefined) told.error = errorMember(error);
  if (result !== undefined) told.d_ret = result;
  if (page !== undefined) Object.assign(told, page);
  return { after, jobs };
}

async function othersFirst(pace: LongWork): Promise<void> {
  if (pace.isOthersTurn) await pace.turn();
}

function warn(told: Told, warnings: readonly string[]): void {
  if (warnings.length > 0) told.warnings = warnings;
}

/** `hello` for a browser or a load balancer, which send no bodies; no job has such a name. Not of the original. */
const HELLO = /^\/[^/]*\/[^/]*\/hello\/?(?:\?(.*))?$/;

/** No job can have that name, so that nothing is below it. */
const BELOW_HELLO = /^\/[^/]*\/[^/]*\/hello\//;
/** Nor below those that are no names of the tree. */
const BELOW_RESERVED = /^\/(livez|readyz|metrics|openapi\.json)\//;

function helloIn(target: string): Command | undefined {
  const [path, query] = HELLO.exec(target) ?? [];
  if (path === undefined) return undefined;
  const asked = Object.fromEntries(new URLSearchParams(query));
  return { action: 'hello', rawMeta: { askAbout: 'health', ...asked }, threaded: false };
}

async function read(services: Services, target: string, told: Told, pace: LongWork): Promise<void> {
  const query = listQuery(target);
  if (query !== undefined) {
    const { jobs, page } = await jobList(services, query, pace);
    told.status = true;
    told.GET = jobs;
    Object.assign(told, page);
    return;
  }
  const path = pathOf(target);
  if (BELOW_HELLO.test(path) || BELOW_RESERVED.test(path)) {
    throw new PmanError('not_found', `there is nothing at ${path.slice(0, 200)}`, {
      hint: 'GET /api/v1/hello tells how the server is',
    });
  }
  if (namesNoJob(path)) {
    const { result, page } = rootPage(services.database.roots(), {});
    told.status = true;
    told.GET = result ?? {};
    Object.assign(told, page);
    return;
  }
  const found = lookup(services.database, path);
  if (found === undefined) {
    throw new PmanError('not_found', `there is no job ${path.split('/')[3] ?? ''}`, {
      hint: 'GET /api/v1 lists the jobs',
    });
  }
  told.status = true;
  told.GET = found;
}

/** PUT knows the action `run` only (protocol a.8). */
async function putVerb(
  services: Services,
  payload: Payload,
  told: Told,
  pace: LongWork,
): Promise<void> {
  const action = payload.characters > 0 ? actionIn(await payload.json()) : undefined;
  if (action === 'quit') {
    told.status = true;
    return;
  }
  if (action !== undefined && action !== 'run') {
    throw new BadRequestError('PUT knows the action "run" only', {
      hint: 'send other actions with POST',
    });
  }
  const command = await commandIn(payload);
  told.action = command.action;
  warn(told, warningsOf(command, PUT_MEMBERS));
  await put.handle(services, command, pace);
  told.status = true;
}

function commandIn(payload: Payload): Soon<Command> {
  if (!payload.isBlank) return whenThere(payload.json(), parseEnvelope);
  throw new BadRequestError('the request has no body', {
    hint: 'the form is {"payload": {"action": "<name>", "meta": {…}}}',
  });
}
