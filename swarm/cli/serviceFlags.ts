import { Option } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import type { Limits, Mount } from '../../lib/jobs/container/engine.ts';
import type { ServiceRequest } from '../service/serviceSpec.ts';

/** What flags beyond those of swarm.py say about a service. */
export type ServiceOptions = Pick<
  ServiceRequest,
  'env' | 'labels' | 'mounts' | 'user' | 'workers' | 'limits' | 'tty'
>;

export interface ServiceFlagValues {
  readonly env?: readonly string[];
  readonly label?: readonly string[];
  readonly bind?: readonly string[];
  readonly limit?: readonly string[];
  readonly user?: string;
  readonly workers?: string;
  readonly tty?: boolean;
}

/** The flags; those with several values are given once for each. */
export function serviceFlags(): readonly Option[] {
  const repeated = (flag: string) =>
    new Option(flag).argParser((value: string, before: readonly string[] = []) => [
      ...before,
      value,
    ]);
  return [
    ...['--env <pair>', '--label <pair>', '--bind <folders>', '--limit <pair>'].map(repeated),
    new Option('--user <user>'),
    new Option('--workers <count>'),
    new Option('--no-tty'),
  ];
}

/** Throws UsageError naming the flag whose value has another form. */
export function readServiceOptions(flags: ServiceFlagValues): ServiceOptions {
  const { env, label, bind, limit, user, workers, tty } = flags;
  return {
    ...(env && { env: Object.fromEntries(env.map((text) => pair('--env', text))) }),
    ...(label && { labels: Object.fromEntries(label.map((text) => pair('--label', text))) }),
    ...(bind && { mounts: bind.map(mountOf) }),
    ...(limit && { limits: limitsOf(limit) }),
    ...(user !== undefined && { user }),
    ...(workers !== undefined && { workers: positive('--workers', workers, /^\d+$/) }),
    ...(tty === false && { tty }),
  };
}

function pair(flag: string, text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`argument ${flag}: "${text}" is not of the form KEY=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function mountOf(text: string): Mount {
  const [, source = '', target = '', mode] = /^([^:]+):(\/[^:]*)(:ro|:rw)?$/.exec(text) ?? [];
  if (source === '') {
    throw new UsageError(`argument --bind: "${text}" is not of the form SOURCE:TARGET[:ro]`);
  }
  return { source, target, readOnly: mode === ':ro' };
}

function limitsOf(texts: readonly string[]): Limits {
  const limits: { -readonly [K in keyof Limits]: Limits[K] } = {};
  for (const text of texts) {
    const [name, value] = pair('--limit', text);
    switch (name) {
      case 'cpus':
        limits.cpus = positive('--limit cpus', value, /^\d+(\.\d+)?$/);
        break;
      case 'memory':
        limits.memoryBytes = positive('--limit memory', value, /^\d+$/);
        break;
      case 'gpus':
        limits.gpus = positive('--limit gpus', value, /^\d+$/);
        break;
      default:
        throw new UsageError(`argument --limit: "${name}" is none of cpus, memory, gpus`);
    }
  }
  return limits;
}

function positive(flag: string, text: string, form: RegExp): number {
  const number = form.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw new UsageError(`argument ${flag}: "${text}" is not a number above 0`);
}
