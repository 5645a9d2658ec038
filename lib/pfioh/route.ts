import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { BadRequestError, PmanError } from '../errors.ts';
import type { UnpackLimits } from '../transfer/limits.ts';
import { partialBytes } from '../transfer/partial.ts';
import { pathState } from '../transfer/pathState.ts';
import { type Spool, spool } from '../transfer/spool.ts';
import { removeTree } from '../transfer/staging.ts';
import { type PagePolicy, PREFLIGHT_HEADERS } from '../wire/foreignPage.ts';
import { answerCopy } from './answerCopy.ts';
import { checkedPath, checkRemote } from './check.ts';
import { control } from './control.ts';
import { type Fields, readFields, readForm } from './form.ts';
import { checkMeta, parseControl, parseMetaText, type TransferMeta } from './meta.ts';
import type { Places } from './places.ts';
import { isEmptyFolder, isPlugin, NO_FILES_NAME, NO_FILES_TEXT } from './plugin.ts';
import { answerPull } from './pull.ts';
import { type Push, type PushContext, receivePush } from './push.ts';
import { type JsonObject, replyJson } from './reply.ts';
import { authorize } from './tokens.ts';

export interface RouteContext {
  readonly places: Places;
  readonly createDirs: boolean;
  readonly tokens: readonly string[] | undefined;
  /** What web pages may ask. */
  readonly pages: PagePolicy;
  readonly limits: UnpackLimits;
  readonly signal: AbortSignal;
  /** Ends the server, after the answer. */
  readonly quit: () => void;
}

const MAX_CONTROL_BYTES = 16 * 1024 * 1024;

/** What a request came to: something was moved or copied, or not. */
export type Handled = 'transfer' | 'message';

/** Finds out what a request is and has it answered. The path of the URL does not matter. @throws PmanError */
export async function route(
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
): Promise<Handled> {
  if (isPreflight(request)) return answerPreflight(response);
  authorize(request, context.tokens);
  if (request.method === 'GET' || request.method === 'HEAD')
    return routeGet(request, response, context);
  if (request.method !== 'POST') {
    throw new PmanError('not_implemented', `pfioh answers GET and POST, not ${request.method}`);
  }
  const isForm = /^multipart\/form-data/i.test(request.headers['content-type'] ?? '');
  if (isForm) return routeForm(request, response, context);
  const body = await bodyText(request);
  const fields = readFields(body, request.headers['content-type'] ?? '');
  if (fields === undefined) return routeControl(body, request, response, context);
  return routeFields(fields, Buffer.byteLength(body), request, response, context);
}

/** What a browser asks before it sends a page's request to another origin; it never carries a token. */
function isPreflight({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

function answerPreflight(response: ServerResponse): Handled {
  for (const [name, value] of PREFLIGHT_HEADERS) response.setHeader(name, value);
  response.writeHead(204).end();
  return 'message';
}

async function bodyText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = Number(request.headers['content-length'] ?? 0);
  const tooLarge = () => new PmanError('payload_too_large', 'a message of that size is refused');
  if (bytes > MAX_CONTROL_BYTES) throw tooLarge();
  bytes = 0;
  // A listener and no loop over the request: leaving a loop would close the connection before the answer.
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_CONTROL_BYTES) reject(tooLarge());
      else chunks.push(chunk);
    });
    request.once('end', resolve);
    request.once('error', reject);
    request.once('close', () => reject(new BadRequestError('the request broke off')));
  });
  return Buffer.concat(chunks).toString();
}

async function routeGet(
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
): Promise<Handled> {
  const { searchParams } = new URL(request.url ?? '/', 'http://pfioh');
  // Of a member that is named twice the last counts, as in a Python dictionary.
  const rawMeta = searchParams.getAll('meta').at(-1);
  if (rawMeta === undefined) {
    throw new BadRequestError('the request has no meta', {
      hint: 'this is pfioh: pull with purl --msg, see purl --man pullPath',
    });
  }
  const meta = parseMetaText(rawMeta);
  const { transport, remote, local } = meta;
  if (transport?.checkRemote === true) {
    const path = checkedPath(() => context.places.resolve(remote));
    if (transport.resume !== undefined) {
      response.setHeader('Pfioh-Offset', partialBytes(path, transport.resume.id));
    }
    const isPull = /pull/i.test(searchParams.get('action') ?? '');
    // A pull must not make what it asks for; that it makes a key's folder is what the clients of pfioh 3 saw.
    const mayCreate = transport.createDirs ?? (!isPull || remote?.key !== undefined);
    replyJson(response, checkRemote(path, context.createDirs && mayCreate));
    return 'message';
  }
  if (transport?.compress === undefined && transport?.copy !== undefined) {
    const symlink = transport.copy.symlink ?? false;
    await answerCopy(response, context.places, { verb: 'pull', from: remote, to: local, symlink });
    return 'transfer';
  }
  await pull(request, response, context, meta);
  return request.method === 'HEAD' ? 'message' : 'transfer';
}

async function pull(
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
  meta: TransferMeta,
) {
  const compress = meta.transport?.compress;
  const place = context.places.resolve(meta.remote);
  const byKey = meta.remote?.key !== undefined;
  const plugin = isPlugin(meta);
  const path = plugin ? join(place, 'outgoing') : place;
  const cleanUp = () => removeTree(place);
  if (plugin && pathState(path).isdir && isEmptyFolder(path))
    writeFileSync(join(path, NO_FILES_NAME), NO_FILES_TEXT);
  await answerPull(request, response, {
    path,
    archive: (compress?.archive ?? 'zip') === 'zip',
    // pfioh 1.6.2 encodes unless told otherwise; requests by key are of later clients, which store what comes as it is.
    encoding: byKey || compress === undefined ? 'none' : (compress.encoding ?? 'base64'),
    contentOnly: byKey || place.endsWith('/'),
    afterwards: plugin && byKey && meta.specialHandling?.cleanup === true ? cleanUp : undefined,
  });
}

async function pushCopy(
  response: ServerResponse,
  { places }: RouteContext,
  from: TransferMeta['remote'],
  to: TransferMeta['remote'],
  symlink = false,
): Promise<Handled> {
  await answerCopy(response, places, { verb: 'push', from, to, symlink });
  return 'transfer';
}

/** A JSON message: control verbs, `quit`, and copies that purl 1.6.2 sends without a form. */
async function routeControl(
  body: string,
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
): Promise<Handled> {
  const message = parseControl(body);
  if (isQuit(message.meta)) return quit(response, context);
  if (hasControl(message.meta)) {
    // pfioh 2 and later: a command that it does not know is none.
    replyJson(response, { status: true, msg: '' });
    return 'message';
  }
  if (/path/i.test(message.action)) {
    const { transport, remote, local } = checkMeta(message.meta);
    if (transport?.copy !== undefined) {
      return pushCopy(response, context, local, remote, transport.copy.symlink);
    }
    throw new BadRequestError('a push wants a form with d_msg and local');
  }
  const userAgent = request.headers['user-agent'] ?? '';
  replyJson(response, await control(message, { places: context.places, userAgent }));
  return 'message';
}

function hasControl(meta: unknown): meta is { ctl: unknown } {
  return typeof meta === 'object' && meta !== null && 'ctl' in meta;
}

function isQuit(meta: unknown): boolean {
  if (!hasControl(meta)) return false;
  const { ctl } = meta;
  return typeof ctl === 'object' && ctl !== null && 'serverCmd' in ctl && ctl.serverCmd === 'quit';
}

function quit(response: ServerResponse, context: RouteContext): Handled {
  response.setHeader('Connection', 'close');
  response.once('finish', context.quit);
  replyJson(response, { msg: 'Server shut down', status: true });
  return 'message';
}

type Local = { readonly report: JsonObject } | { readonly kept: Spool };

async function routeForm(
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
): Promise<Handled> {
  let formBytes = 0;
  request.on('data', (chunk: Buffer) => {
    formBytes += chunk.length;
  });
  const { fields, local } = await readForm<Local>(request, async (content, before, all) => {
    const early = before.has('d_msg') && (before.has('encoding') || isFileMode(request));
    if (early) return { report: await push(content, before, request, all, context) };
    // The content came before what says where it goes: keep it, nameless, until the form is read.
    return { kept: await spool(content, context.places.storeBase) };
  });
  if (local !== undefined && 'report' in local) {
    replyJson(response, local.report);
    return 'transfer';
  }
  if (local === undefined) return formMessage(fields, formBytes, response, context);
  try {
    replyJson(
      response,
      await push(local.kept.read(), fields, request, Promise.resolve(fields), context),
    );
  } finally {
    await local.kept.close();
  }
  return 'transfer';
}

/** A form without parts, as `curl -d 'd_msg=…'` sends it: its content is a field as well. */
async function routeFields(
  fields: Fields,
  formBytes: number,
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
): Promise<Handled> {
  const local = fields.get('local');
  if (local === undefined) return formMessage(fields, formBytes, response, context);
  const content = Readable.from([Buffer.from(local)], { objectMode: false });
  replyJson(response, await push(content, fields, request, Promise.resolve(fields), context));
  return 'transfer';
}

function isFileMode(request: IncomingMessage): boolean {
  const { mode } = request.headers;
  return mode !== undefined && mode !== 'control';
}

function push(
  content: Readable,
  fields: Fields,
  request: IncomingMessage,
  all: Promise<Fields>,
  context: PushContext,
): Promise<JsonObject> {
  const { meta } = parseControl(fields.get('d_msg') ?? '{}');
  const described: Push = {
    meta: checkMeta(meta),
    isFileMode: isFileMode(request),
    encoding: fields.get('encoding') ?? 'none',
    filename: fields.get('filename') ?? '',
    userAgent: request.headers['user-agent'] ?? '',
    all,
  };
  return receivePush(content, described, context);
}

/** A form without content: quit, a copy, or nothing that the server knows. */
async function formMessage(
  fields: Fields,
  formBytes: number,
  response: ServerResponse,
  context: RouteContext,
): Promise<Handled> {
  const text = fields.get('d_msg');
  if (text === undefined) throw new BadRequestError('the form has no field d_msg');
  const message = parseControl(text);
  if (isQuit(message.meta)) return quit(response, context);
  const { transport, remote, local } = checkMeta(message.meta);
  if (transport?.copy !== undefined) {
    return pushCopy(response, context, local, remote, transport.copy.symlink);
  }
  if (transport?.compress !== undefined) throw new BadRequestError('the form has no field local');
  replyJson(response, { msg: 'In do_POST', status: true, formsize: formBytes });
  return 'message';
}
