import type { IncomingMessage, ServerResponse } from 'node:http';
import { BadRequestError } from '../errors.ts';
import { measure, planSending, type SendPlan, startSending } from '../transfer/send.ts';

export interface PullOptions {
  readonly path: string;
  readonly archive: boolean;
  readonly encoding: string;
  readonly contentOnly: boolean;
  /** Done when everything has been handed over, before the answer ends. */
  readonly afterwards?: (() => Promise<void>) | undefined;
}

/**
 * Answers a pull with a file or an archive, made while it is sent. The trailer `Pfioh-Sha256` is the
 * SHA-256 of the whole content, before base64; `Range: bytes=N-` with a matching `If-Range` goes on from there.
 * @throws PmanError before anything was sent
 */
export async function answerPull(
  request: IncomingMessage,
  response: ServerResponse,
  options: PullOptions,
): Promise<void> {
  const { path, archive, contentOnly } = options;
  const encoding = checkEncoding(options.encoding);
  const plan = await planSending(path, { archive, encoding, contentOnly });
  const etag = `"${plan.tag}"`;
  const ifRange = request.headers['if-range'];
  const offset = ifRange === undefined || ifRange === etag ? rangeStart(request.headers.range) : 0;
  const total = offset > 0 ? (plan.bytes ?? (await measure(plan))) : plan.bytes;
  response.setHeader('Content-Type', contentType(plan));
  response.setHeader('ETag', etag);
  response.setHeader('Accept-Ranges', 'bytes');
  if (total !== undefined) response.setHeader('Pfioh-Bytes', total);
  if (!plan.archive) {
    response.setHeader('Pfioh-Mode', plan.root.mode.toString(8));
    response.setHeader('Pfioh-Mtime-Ns', String(plan.root.mtimeNs));
  }
  if (offset > 0 && total !== undefined) {
    // Our own purl may have everything but the checksum, and asks for that.
    if (offset > total || (offset === total && ifRange === undefined)) {
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
  response.writeHead(status, { Trailer: 'Pfioh-Sha256' });
  const sending = startSending(plan, offset);
  await sending.sendTo(response);
  await options.afterwards?.();
  response.addTrailers({ 'Pfioh-Sha256': sending.sha256() });
  response.end();
}

function checkEncoding(encoding: string): 'none' | 'base64' {
  if (encoding === 'none' || encoding === '') return 'none';
  if (encoding === 'base64') return 'base64';
  throw new BadRequestError(`unknown encoding ${JSON.stringify(encoding)}: base64 or none`);
}

function contentType({ archive, encoding }: SendPlan): string {
  if (encoding === 'base64') return 'text/plain; charset=us-ascii';
  return archive ? 'application/zip' : 'application/octet-stream';
}

/** The start of `bytes=N-`; other ranges are answered with the whole. */
function rangeStart(header: string | undefined): number {
  const start = /^bytes=(\d{1,15})-$/.exec(header ?? '')?.[1];
  return start === undefined ? 0 : Number(start);
}
