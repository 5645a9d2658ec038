import type { SendPlan } from '../../transfer/send.ts';
import { etagOf } from './wantedOffset.ts';

/** What the answer to a pull says about its content; `total` is its length where that is known. */
export function pullHeaders(
  plan: SendPlan,
  total: number | undefined,
): Map<string, number | string> {
  const headers = new Map<string, number | string>([
    ['Content-Type', contentType(plan)],
    ['ETag', etagOf(plan)],
    ['Accept-Ranges', 'bytes'],
  ]);
  if (total !== undefined) headers.set('Pfioh-Bytes', total);
  if (!plan.archive) {
    headers.set('Pfioh-Mode', plan.root.mode.toString(8));
    headers.set('Pfioh-Mtime-Ns', String(plan.root.mtimeNs));
  }
  return headers;
}

function contentType({ archive, encoding }: SendPlan): string {
  if (encoding === 'base64') return 'text/plain; charset=us-ascii';
  return archive ? 'application/zip' : 'application/octet-stream';
}
