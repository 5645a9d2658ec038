import { describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { exposition, openMetrics } from '../../../../lib/metrics/exposition.ts';

function someFigures(): Registry {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'a_total', help: 'A.', labelNames: ['x'], registers }).inc({ x: '_total 1' });
  new Gauge({ name: 'b_bytes', help: 'B_total of it.', registers }).set(1.5);
  new Histogram({ name: 'c_seconds', help: 'C.', buckets: [0.5, 1], registers }).observe(0.7);
  return registry;
}

describe('exposition', () => {
  it('gives the text of Prometheus when nothing else is asked for', async () => {
    const { type, text } = await exposition(someFigures(), undefined);
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('# TYPE a_total counter\na_total{x="_total 1"} 1\n');
  });

  it('gives OpenMetrics to who accepts it, and leaves the other form as it was', async () => {
    const registry = someFigures();
    const before = (await exposition(registry, 'text/plain')).text;
    const { text } = await exposition(registry, 'application/openmetrics-text;version=1.0.0');
    expect(text).toBe(
      [
        '# HELP a A.',
        '# TYPE a counter',
        'a_total{x="_total 1"} 1',
        '# HELP b_bytes B_total of it.',
        '# TYPE b_bytes gauge',
        'b_bytes 1.5',
        '# HELP c_seconds C.',
        '# TYPE c_seconds histogram',
        'c_seconds_bucket{le="0.5"} 0',
        'c_seconds_bucket{le="1.0"} 1',
        'c_seconds_bucket{le="+Inf"} 1',
        'c_seconds_sum 0.7',
        'c_seconds_count 1',
        '# EOF\n',
      ].join('\n'),
    );
    expect((await exposition(registry, undefined)).text).toBe(before);
  });

  it('of nothing is the end alone', () => {
    expect(openMetrics('')).toBe('# EOF\n');
  });

  it.each([
    ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4', 'openmetrics'],
    ['APPLICATION/OPENMETRICS-TEXT', 'openmetrics'],
    ['application/openmetrics-text;q=0, text/plain', 'plain'],
    ['text/plain;q=0.9, application/openmetrics-text;q=0.5', 'plain'],
  ])('gives what is wanted most: %s', async (accept, type) => {
    expect((await exposition(someFigures(), accept)).type).toContain(type);
  });
});
