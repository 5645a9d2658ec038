import { constants } from 'node:os';
import { z } from 'zod';
import { freely } from '../concurrency/turns.ts';
import { PmanError } from '../errors.ts';
import { isPassing } from '../host/passingSignals.ts';
import { KILL_REQUEST } from '../jobs/causeWords.ts';
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
    const message = refusalOf(String(value));
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

function refusalOf(name: string): string {
  if (name === '0') return 'is 0, which sends nothing: "status" tells whether a job runs';
  if (/^(?:SIG)?RTM(?:IN|AX)/i.test(name) || (Number(name) >= 32 && Number(name) <= 64))
    return 'is a real-time signal, which pman does not send';
  return 'is no signal: TERM, SIGINT, 9, …';
}

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
 * `kill`: sends a signal to jobs. One that stops a job, lets it go on or only tells it something (STOP, TSTP, CONT, WINCH, …)
 * is passed on, and the job goes on. Any other ends them: `signal` (default TERM) to the whole process group, KILL to what is left of it after `grace`
 * seconds. The record stays and says who ended the job and how. The reply comes when the signal is sent; a job that
 * had ended already shows `killed: false`, and one that has not started cannot be passed anything; of more than a thousand jobs only those are told of that were ended. Not of the original, but its README promises it.
 */
export const kill = defineAction({
  schema,
  async handle(meta, { services, pace, caller }) {
    const graceMs = meta.grace === undefined ? services.settings.killGraceMs : meta.grace * 1000;
    const cause = `${KILL_REQUEST}${meta.auid ? ` of ${meta.auid}` : ''}`;
    const order = { signal: meta.signal, graceMs, cause };
    const isOver = !isPassing(meta.signal);
    const roots = await requireRoots({ services, pace }, meta);
    const steady = pace?.toTheEnd() ?? freely;
    const { limit } = rangeOf({});
    const told: JsonValue[] = [];
    let wasFound = false;
    let waiting: string | undefined;
    const by = caller.name ?? null;
    for (const root of roots) {
      if (steady.isOthersTurn) await steady.turn();
      if (isOver && services.jobs.isActive(root)) {
        services.changes.killOrdered(root, { signal: meta.signal, cause, by });
      }
      const found = isOver
        ? await services.jobs.kill(root, order)
        : await services.jobs.pass(root, meta.signal);
      wasFound ||= found;
      if (!isOver && !found && services.jobs.isActive(root)) waiting ??= root;
      // Of very many those that had ended already are left out.
      if (told.length >= limit || (roots.length > limit && !found)) continue;
      const done = isOver ? { killed: found } : { killed: false, signalled: found };
      told.push({ jobRoot: root, ...done, signal: meta.signal });
    }
    return {
      status: wasFound,
      result: Object.fromEntries(told.entries()),
      ...(wasFound || waiting === undefined ? {} : { error: notStarted(waiting) }),
      jobs: roots,
      ...(roots.length > limit && { page: { total: roots.length, limit } }),
    };
  },
});

/** What gets a signal is a process, and a job that waits has none yet. */
function notStarted(root: string): PmanError {
  return new PmanError('conflict', `the job ${root} has not started yet`, {
    hint: 'a signal that ends jobs, such as TERM, takes it out of the queue',
  });
}
