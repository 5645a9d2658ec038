import { type Door, OPEN_DOOR } from '../access/tokenStore.ts';
import type { RequestHead } from '../gateway/types.ts';
import { cutJson, cutText } from '../wire/cut.ts';
import type { JsonValue } from '../wire/json.ts';
import { isTextKept, textOnce } from '../wire/keptText.ts';
import type { Payload } from '../wire/payload.ts';
import { dumps, quoted } from '../wire/pythonJson.ts';
import { REPLY_INDENT, type ReplyBody } from '../wire/reply.ts';
import { byLines } from './byLines.ts';
import { echoOf, headerLines, NO_ECHO, pathOf, shown } from './echo.ts';
import type { Told } from './verbs.ts';

/** A request as far as its answer repeats it. */
export interface Repeated {
  readonly request: RequestHead;
  readonly payload: Pick<Payload, 'beginning' | 'characters'>;
  /** Hides what nobody may read. */
  readonly door: Pick<Door, 'mask'>;
}

/**
 * The members of a reply in the order of protocol a.4; those that are undefined are not written.
 * @param repeated undefined: nothing of the request is
 */
export function inOrder(
  repeated: Repeated | undefined,
  told: Told,
): { [K in keyof ReplyBody]: unknown } {
  const echo =
    repeated === undefined ? NO_ECHO : echoOf(repeated.request, repeated.payload, repeated.door);
  return {
    status: told.status ?? false,
    RESTheader: echo.RESTheader,
    RESTverb: echo.RESTverb,
    action: cutText(told.action ?? ''),
    path: echo.path,
    receivedByServer: echo.receivedByServer,
    GET: told.GET,
    total: told.total,
    limit: told.limit,
    next: told.next,
    client_json_payload: told.client_json_payload,
    client_json_len: told.client_json_len,
    payloadsize: told.payloadsize,
    meta: told.meta === undefined ? undefined : cutJson(told.meta),
    d_ret: told.d_ret,
    error: told.error,
    warnings: told.warnings,
  };
}

/**
 * The text of a short reply, as `dumps` would write it. Most of it repeats the request, and each piece of that is written once: the
 * payload stands in it twice, and the head of one request is often that of the next.
 */
export function replyText(repeated: Repeated, told: Told): string {
  const { request, payload, door } = repeated;
  const { beforeAction, afterAction } =
    door === OPEN_DOOR && request.lines !== undefined
      ? knownHead(request)
      : headText(request, door);
  const sent = told.client_json_payload ?? shown(payload, door);
  const body = quoted(sent);
  const bodyLines = sent.includes('\n') ? sent.split('\n').map(quoted).join(`,${ITEM}`) : body;
  return (
    `{${statusText(told.status ?? false)}${beforeAction}${quoted(cutText(told.action ?? ''))}${afterAction}${bodyLines}${MEMBER}]` +
    `${foundText(told)}${sentText(body, told)}${resultText(told)}\n}`
  );
}

/** What is repeated of the head of a request: the members on both sides of the action, up to the lines of the payload. */
interface HeadText {
  readonly beforeAction: string;
  readonly afterAction: string;
}

function headText(request: RequestHead, door: Pick<Door, 'mask'>): HeadText {
  const { method, httpVersion } = request;
  const target = door.mask(request.target);
  const line = `${quoted(`${method} ${target} HTTP/${httpVersion}`).slice(0, -1)}\\r"`;
  const lines = [...headerLines(request, door).map(quoted), '"\\r"'];
  return {
    beforeAction: `,${MEMBER}"RESTheader": ${line},${MEMBER}"RESTverb": ${quoted(method)},${MEMBER}"action": `,
    afterAction:
      `,${MEMBER}"path": ${quoted(pathOf(target))},${MEMBER}"receivedByServer": [` +
      `${[line, ...lines].map((each) => `${ITEM}${each},`).join('')}${ITEM}`,
  };
}

/** The head text of the last request with these header lines: as a rule the next one is to the same place. */
const lastHeads = byLines((): LastHead => ({ method: '', target: '', text: undefined }));

interface LastHead {
  method: string;
  target: string;
  text: HeadText | undefined;
}

/** As headText, with an open door, and for lines that the gateway knows: those are of one version of HTTP. */
function knownHead(request: RequestHead): HeadText {
  const last = lastHeads(request);
  const { method, target } = request;
  if (last.text !== undefined && last.method === method && last.target === target) return last.text;
  const text = headText(request, OPEN_DOOR);
  Object.assign(last, { method, target, text });
  return text;
}

/** What stands before each member, and before each item of one. */
const MEMBER = '\n    ';
const ITEM = '\n        ';

/** Each member with a comma in front of it. */
function membersText(members: { readonly [K in keyof ReplyBody]?: unknown }): string {
  const text = dumps(members, REPLY_INDENT);
  return text === '{}' ? '' : `,${text.slice(1, -2)}`;
}

function statusText(status: JsonValue): string {
  const isPlain = typeof status === 'boolean';
  return isPlain ? `${MEMBER}"status": ${status}` : membersText({ status }).slice(1);
}

function foundText({ GET, total, limit, next }: Told): string {
  // As a rule there are none of these.
  if ((GET ?? total ?? limit ?? next) === undefined) return '';
  return membersText({ GET, total, limit, next });
}

function sentText(body: string, told: Told): string {
  const { client_json_payload: payload, client_json_len: length, payloadsize: size } = told;
  if (payload === undefined || length === undefined) return '';
  const text = `,${MEMBER}"client_json_payload": ${body},${MEMBER}"client_json_len": ${length}`;
  return size === undefined ? text : `${text},${MEMBER}"payloadsize": ${size}`;
}

function resultText({ meta: sent, d_ret: result, error, warnings }: Told): string {
  const meta = sent === undefined ? undefined : cutJson(sent);
  if (!isTextKept(result)) return membersText({ meta, d_ret: result, error, warnings });
  return membersText({ meta }) + textOnce(result, dRetText) + membersText({ error, warnings });
}

const dRetText = (result: unknown) => membersText({ d_ret: result });
