import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { BadRequestError, messageOf, PmanError } from '../errors.ts';
import { answerJson, answerLongJson } from './answer.ts';
import { answerCopy } from './answerCopy.ts';
import { answerFields } from './answerFields.ts';
import type { Handled, RequestContext } from './context.ts';
import { control } from './control.ts';
import { readFields } from './form.ts';
import { type ControlMessage, checkMeta, parseControl } from './meta.ts';
import { placeOf, readPush } from './push/pushRequest.ts';
import { receivePush } from './push/receivePush.ts';
import { answerQuit, hasControl, isQuit } from './serverQuit.ts';
import { textRoom } from './textRoom.ts';

/** As of all fields of a multipart form: content that is longer comes in one of these. */
const MAX_CONTROL_BYTES = 4 * 1024 * 1024;

/** Answers a POST that is no multipart form: a message, or a form as `curl -d 'd_msg=…'` sends it. @throws PmanError */
export async function answerBody(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
): Promise<Handled> {
  const body = await bodyText(request);
  const fields = readFields(body, request.headers['content-type'] ?? '');
  if (fields === undefined) {
    const userAgent = request.headers['user-agent'] ?? '';
    return answerMessage(parseControl(body), userAgent, response, context);
  }
  // The content of such a form is a field as well.
  const local = fields.get('local');
  if (local === undefined) {
    return answerFields(fields, Buffer.byteLength(body), response, context);
  }
  const push = readPush(fields, request, Promise.resolve(fields));
  context.permit('push', placeOf(push));
  const content = Readable.from([Buffer.from(local)], { objectMode: false });
  answerJson(response, await receivePush(content, push, context));
  return 'transfer';
}

async function bodyText(request: IncomingMessage): Promise<string> {
  const tooLarge = () => new PmanError('payload_too_large', 'a message of that size is refused');
  if (Number(request.headers['content-length'] ?? 0) > MAX_CONTROL_BYTES) throw tooLarge();
  const place = textRoom.enter();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const keep = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_CONTROL_BYTES) throw tooLarge();
    place.take(chunk.length);
    chunks.push(chunk);
  };
  try {
    // A listener and no loop over the request: leaving a loop would close the connection before the answer.
    await new Promise<void>((resolve, reject) => {
      request.on('data', function take(chunk: Buffer) {
        try {
          keep(chunk);
        } catch (error) {
          request.off('data', take);
          reject(error instanceof Error ? error : new Error(messageOf(error)));
        }
      });
      request.once('end', resolve);
      request.once('error', (cause) =>
        reject(new BadRequestError('the request broke off', { cause })),
      );
      request.once('close', () => reject(new BadRequestError('the request broke off')));
    });
    return Buffer.concat(chunks).toString();
  } finally {
    place.leave();
  }
}

/** The place that a message names, for the audit log. */
function placeIn(meta: unknown): string | undefined {
  if (typeof meta !== 'object' || meta === null) return undefined;
  const { path, key } = { path: undefined, key: undefined, ...meta };
  return [path, key].map((name) => (name === undefined ? undefined : String(name))).find(Boolean);
}

/** A JSON message: control verbs, `quit`, and copies that purl 1.6.2 sends without a form. */
async function answerMessage(
  message: ControlMessage,
  userAgent: string,
  response: ServerResponse,
  context: RequestContext,
): Promise<Handled> {
  if (isQuit(message.meta)) return answerQuit(response, context);
  if (hasControl(message.meta)) {
    context.permit('message');
    // pfioh 2 and later: a command that it does not know is none.
    answerJson(response, { status: true, msg: '' });
    return 'message';
  }
  if (/path/i.test(message.action)) {
    const { transport, remote, local } = checkMeta(message.meta);
    if (transport?.copy === undefined) {
      throw new BadRequestError('a push wants a form with d_msg and local');
    }
    const symlink = transport.copy.symlink ?? false;
    context.permit('copy', remote?.path ?? remote?.key);
    await answerCopy(response, context, { verb: 'push', from: local, to: remote, symlink });
    return 'transfer';
  }
  context.permit(message.action || 'message', placeIn(message.meta));
  const { places, signal } = context;
  await answerLongJson(response, await control(message, { places, userAgent, signal }));
  return 'message';
}
