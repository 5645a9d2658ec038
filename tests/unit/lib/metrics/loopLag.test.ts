import { afterEach, describe, expect, it } from '@jest/globals';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { LoopLag } from '../../../../lib/metrics/loopLag.ts';
import { eventually } from '../../../helpers/eventually.ts';

describe('LoopLag', () => {
  const lag = new LoopLag();
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 2 ** 31 - 1 });
  const names = () => registry.getMetricsAsArray().map(({ name }) => name);
  const before = names();
  lag.tellBy(registry);
  afterEach(() => lag.close());

  const figure = async (name: string) =>
    Number(new RegExp(`^${name} (.*)$`, 'm').exec(await registry.metrics())?.[1]);

  it('tells what prom-client tells, by the same names', () => {
    expect(names().sort()).toEqual(before.sort());
  });

  it('tells 0 of an idle process, and not what is no number', async () => {
    await registry.metrics();
    expect(await figure('nodejs_eventloop_lag_max_seconds')).toBe(0);
    expect(await figure('nodejs_eventloop_lag_mean_seconds')).toBe(0);
  });

  it('does not take the rest between two times of work for a delay', async () => {
    const rest = async () => {
      lag.worked();
      await new Promise((resolve) => setTimeout(resolve, 50));
      lag.close();
      await new Promise((resolve) => setTimeout(resolve, 3000));
    };
    await registry.metrics();
    await rest();
    await rest();
    lag.worked();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await figure('nodejs_eventloop_lag_max_seconds')).toBeLessThan(2.5);
  });

  it('tells how late the loop was while it worked', async () => {
    await eventually(async () => {
      lag.worked();
      await new Promise((resolve) => setTimeout(resolve, 30));
      const until = performance.now() + 100;
      while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 30));
      return (await figure('nodejs_eventloop_lag_max_seconds')) > 0.05;
    });
  });
});
