import { constants } from 'node:os';
import { z } from 'zod';
import type { JsonValue } from '../wire/json.ts';
import { searchMeta, text } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { requireHits } from './hits.ts';

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

const schema = searchMeta.extend({
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
 * had ended already shows `killed: false`. Not of the original, but its README promises it.
 */
export const kill = defineAction({
  schema,
  async handle(meta, { services }) {
    const graceMs = meta.grace === undefined ? services.settings.killGraceMs : meta.grace * 1000;
    const cause = `ended by a kill request${meta.auid ? ` of ${meta.auid}` : ''}`;
    const killed: [string, JsonValue][] = [];
    let hasEnded = false;
    const hits = requireHits(services, meta);
    for (const [i, { root }] of hits.entries()) {
      const found = await services.jobs.kill(root, { signal: meta.signal, graceMs, cause });
      hasEnded ||= found;
      killed.push([String(i), { jobRoot: root, killed: found, signal: meta.signal }]);
    }
    const jobs = hits.map(({ root }) => root);
    return { status: hasEnded, result: Object.fromEntries(killed), jobs };
  },
});
