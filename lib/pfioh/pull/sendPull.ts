import type { IncomingMessage, ServerResponse } from 'node:http';
import { PmanError } from '../../errors.ts';
import { CHECK_HEADER, CHECK_TRAILERS } from '../../transfer/contentCheck.ts';
import { OFFSET_HEADER, PACK_TYPE } from '../../transfer/pack/agreed.ts';
import { startPack } from '../../transfer/pack/startPack.ts';
import { removeTree } from '../../transfer/removeTree.ts';
import { measure, planSending, type SendPlan, startSending } from '../../transfer/send.ts';
import { checkOf } from '../checkOf.ts';
import type { RequestContext } from '../context.ts';
import type { TransferMeta } from '../meta.ts';
import { pullHeaders } from './pullHeaders.ts';
import { type PullSource, pullSource } from './pullSource.ts';
import { etagOf, wantedOffset } from './wantedOffset.ts';

/**
 * Answers a pull with a file or an archive, made while it is sent: the way of a pull through this server. The
 * trailer `Pfioh-Sha256` is the SHA-256 of the whole content, before base64, or `Pfioh-Poly1305` the check that
 * `Pfioh-Check` asked for; `Range: bytes=N-` with a matching `If-Range` goes on from there.
 * @throws PmanError before anything was sent
 */
export async function sendPull(
  request: IncomingMessage,
  response: ServerResponse,
  meta: TransferMeta,
  { places, note }: Pick<RequestContext, 'places' | 'note'>,
): Promise<void> {
  const source = pullSource(meta, places);
  const check = checkOf(request);
  note({ what: 'pull', where: source.path });
  const plan = await planSending(source.path, source);
  if (!isAsListed(plan, source)) {
    throw new PmanError('conflict', `${source.path} has changed since it was listed`, {
      hint: 'ask for its tree again',
    });
  }
  const status = source.isPack
    ? packHead(request, response, plan, source)
    : await contentHead(request, response, plan);
  if (status.code === 416 || request.method === 'HEAD') {
    response.writeHead(status.code).end();
    return;
  }
  // HTTP/1.0 knows neither chunks nor what comes behind them.
  const hasTrailers = request.httpVersion === '1.1';
  const trailer = CHECK_TRAILERS[check.name];
  if (check.name !== 'sha256' && hasTrailers) response.setHeader(CHECK_HEADER, check.name);
  // The head goes with the first byte: until then it can still be said what is wrong.
  response.statusCode = status.code;
  if (hasTrailers) response.setHeader('Trailer', trailer);
  const start = source.isPack ? startPack : startSending;
  const sending = start(plan, status.offset, undefined, check);
  await sending.sendTo(response);
  // Everything has been handed over, but the client does not know that yet.
  if (source.removedAfterwards !== undefined)
    await removeTree(source.removedAfterwards, places.base);
  if (!response.headersSent) response.writeHead(status.code);
  if (hasTrailers) response.addTrailers({ [trailer]: sending.digest() });
  response.end();
}

function isAsListed({ treeTag, shape }: SendPlan, { onlyIfTag, onlyIfShape }: PullSource): boolean {
  return onlyIfTag === undefined || onlyIfTag === treeTag || onlyIfShape === shape;
}

/** What an answer begins with, and the byte of its content that it begins at. */
interface Status {
  readonly code: number;
  readonly offset: number;
}

async function contentHead(
  { headers }: IncomingMessage,
  response: ServerResponse,
  plan: SendPlan,
): Promise<Status> {
  const offset = wantedOffset(headers, plan);
  const total = offset > 0 ? (plan.bytes ?? (await measure(plan))) : plan.bytes;
  response.setHeaders(pullHeaders(plan, total));
  if (offset === 0 || total === undefined) return { code: offset > 0 ? 206 : 200, offset };
  // Our own purl may have everything but the checksum, and asks for that.
  if (offset > total || (offset === total && headers['if-range'] === undefined)) {
    response.setHeader('Content-Range', `bytes */${total}`);
    return { code: 416, offset };
  }
  response.setHeader('Content-Range', `bytes ${offset}-${Math.max(offset, total - 1)}/${total}`);
  return { code: 206, offset };
}

/** A pack is no range of anything: how long it is, nobody knows before it has been made. */
function packHead(
  { headers }: IncomingMessage,
  response: ServerResponse,
  plan: SendPlan,
  { onlyIfTag }: PullSource,
): Status {
  const said = String(headers[OFFSET_HEADER.toLowerCase()] ?? '');
  // What a client has is of the same pack when it names the tag.
  const isSame = onlyIfTag !== undefined && onlyIfTag === plan.treeTag;
  const offset = isSame && /^\d{1,15}$/.test(said) ? Number(said) : 0;
  response.setHeader('Content-Type', PACK_TYPE);
  response.setHeader('ETag', etagOf(plan));
  if (offset > 0) response.setHeader(OFFSET_HEADER, offset);
  return { code: 200, offset };
}
