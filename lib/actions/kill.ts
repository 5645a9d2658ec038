import { constants } from 'node:os';
import { z } from 'zod';
import { freely } from '../concurrency/turns.ts';
import type { JsonValue } from '../wire/json.ts';
import { keyAndValue, text } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { requireRoots } from './hits.ts';
import { rangeOf } from './page.ts';

const signalNames = new Map<string, NodeJS.Signals>();
for (const [name, number] of Object.entries(constants.signals)) {
  const signal = name as NodeJS.Signals;
  for (const alias of [name, name.slice(3), String(number)]) signalNames.set(alias, signal);
}

const signal = z
  .union([z.string(), z.number()], { error: 'is neither a name nor a number' })
  .default('TERM')
  .transform((value, context) => {
    const name = signalNames.get(String(value).toUpperCase());
    if (name !== undefined) return name;
    context.addIssue({ code: 'custom', message: 'is no signal: TERM, SIGINT, 9, …' });
    return z.NEVER;
  });

const schema = z.looseObject({
  ...keyAndValue,
  signal,
  /** Seconds. */
  grace: z
    .number('is not a number of seconds')
    .min(0, 'is less than 0')
    .max(86_400, 'is more than 86400')
    .optional(),
  auid: text.optional(),
});

/**
 * `kill`: ends jobs: `signal` (default TERM) to the whole process group, KILL to what is left of it after `grace`
 * seconds. The record stays and says who ended the job and how. The reply comes when the signal is sent; a job that
 * had ended already shows `killed: false`; of more than a thousand jobs only those are told of that were ended. Not of the original, but its README promises it.
 */
export const kill = defineAction({
  schema,
  async handle(meta, { services, pace }) {
    const graceMs = meta.grace === undefined ? services.settings.killGraceMs : meta.grace * 1000;
    const cause = `ended by a kill request${meta.auid ? ` of ${meta.auid}` : ''}`;
    const roots = await requireRoots({ services, pace }, meta);
    const steady = pace?.toTheEnd() ?? freely;
    const { limit } = rangeOf({});
    const told: JsonValue[] = [];
    let hasEnded = false;
    for (const root of roots) {
      if (steady.isOthersTurn) await steady.turn();
      const killed = await services.jobs.kill(root, { signal: meta.signal, graceMs, cause });
      hasEnded ||= killed;
      // Of very many those that had ended already are left out.
      const isTold = roots.length <= limit || killed;
      if (isTold && told.length < limit) told.push({ jobRoot: root, killed, signal: meta.signal });
    }
    return {
      status: hasEnded,
      result: Object.fromEntries(told.entries()),
      jobs: roots,
      ...(roots.length > limit && { page: { total: roots.length, limit } }),
    };
  },
});
