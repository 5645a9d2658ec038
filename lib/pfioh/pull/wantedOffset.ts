import type { IncomingHttpHeaders } from 'node:http';
import type { SendPlan } from '../../transfer/send.ts';

/** The name of exactly these bytes, for `If-Range`. */
export function etagOf({ tag }: SendPlan): string {
  return `"${tag}"`;
}

/** From which byte on a client wants to be sent a plan: 0 unless what it has is of the same plan. */
export function wantedOffset(headers: IncomingHttpHeaders, plan: SendPlan): number {
  const ifRange = headers['if-range'];
  if (ifRange !== undefined && ifRange !== etagOf(plan)) return 0;
  // Other ranges are answered with the whole.
  const start = /^bytes=(\d{1,15})-$/.exec(headers.range ?? '')?.[1];
  return start === undefined ? 0 : Number(start);
}
