import type { Registry } from 'prom-client';
import { acceptedIn } from '../wire/accepted.ts';

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

export interface Exposition {
  readonly type: string;
  readonly text: string;
}

/** All figures in the form that the one who asks accepts: OpenMetrics, or else the text of Prometheus. */
export async function exposition(
  registry: Registry,
  accept: string | undefined,
): Promise<Exposition> {
  const text = await registry.metrics();
  const accepted = acceptedIn(accept);
  const wish = accepted.get('application/openmetrics-text') ?? 0;
  return wish > 0 && wish >= (accepted.get('text/plain') ?? 0)
    ? { type: OPEN_METRICS, text: openMetrics(text) }
    : { type: PROMETHEUS, text };
}

/**
 * The text of OpenMetrics 1.0 from that of Prometheus: a counter is called without its `_total`, bounds are floats, and the end is
 * marked. prom-client has a form of its own for it, but renames its counters for good when that is asked for.
 */
export function openMetrics(prometheus: string): string {
  const text = prometheus
    .replace(/^(# (?:HELP|TYPE) \S+)_total /gm, '$1 ')
    .replace(/([{,]le=")(\d+)"/g, '$1$2.0"')
    .replace(/\n{2,}/g, '\n');
  return `${text === '' ? '' : text.replace(/\n*$/, '\n')}# EOF\n`;
}
