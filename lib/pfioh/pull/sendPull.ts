import type { IncomingMessage, ServerResponse } from 'node:http';
import { PmanError } from '../../errors.ts';
import { CHECK_HEADER, CHECK_TRAILERS } from '../../transfer/contentCheck.ts';
import { removeTree } from '../../transfer/removeTree.ts';
import { measure, planSending, startSending } from '../../transfer/send.ts';
import { checkOf } from '../checkOf.ts';
import type { RequestContext } from '../context.ts';
import type { TransferMeta } from '../meta.ts';
import { pullHeaders } from './pullHeaders.ts';
import { pullSource } from './pullSource.ts';
import { wantedOffset } from './wantedOffset.ts';

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
  if (source.onlyIfTag !== undefined && source.onlyIfTag !== plan.treeTag) {
    throw new PmanError('conflict', `${source.path} has changed since it was listed`, {
      hint: 'ask for its tree again',
    });
  }
  const offset = wantedOffset(request.headers, plan);
  const total = offset > 0 ? (plan.bytes ?? (await measure(plan))) : plan.bytes;
  response.setHeaders(pullHeaders(plan, total));
  if (offset > 0 && total !== undefined) {
    // Our own purl may have everything but the checksum, and asks for that.
    if (offset > total || (offset === total && request.headers['if-range'] === undefined)) {
      response.writeHead(416, { 'Content-Range': `bytes */${total}` }).end();
      return;
    }
    response.setHeader('Content-Range', `bytes ${offset}-${Math.max(offset, total - 1)}/${total}`);
  }
  const status = offset > 0 ? 206 : 200;
  if (request.method === 'HEAD') {
    response.writeHead(status).end();
    return;
  }
  // HTTP/1.0 knows neither chunks nor what comes behind them.
  const hasTrailers = request.httpVersion === '1.1';
  const trailer = CHECK_TRAILERS[check.name];
  if (check.name !== 'sha256' && hasTrailers) response.setHeader(CHECK_HEADER, check.name);
  response.writeHead(status, hasTrailers ? { Trailer: trailer } : {});
  const sending = startSending(plan, offset, undefined, check);
  await sending.sendTo(response);
  // Everything has been handed over, but the client does not know that yet.
  if (source.removedAfterwards !== undefined)
    await removeTree(source.removedAfterwards, places.base);
  if (hasTrailers) response.addTrailers({ [trailer]: sending.digest() });
  response.end();
}
