import { z } from 'zod';
import { requirePermittedRun } from '../access/runPermit.ts';
import { whenThere } from '../concurrency/soon.ts';
import { PmanError } from '../errors.ts';
import type { JobRequest } from '../jobs/backend.ts';
import { limitFields } from '../jobs/runLimits.ts';
import { notifySchema } from '../webhooks/notify.ts';
import { ExactNumber, isJsonObject, type JsonObject, type JsonValue } from '../wire/json.ts';
import { KEPT_LIMITS, programText, text } from '../wire/request.ts';
import { defineAction, type Services } from './action.ts';

/** An integer becomes its text, as the original stores it. */
const jid = z
  .custom<JsonValue>((value) => value !== undefined, 'is missing')
  .transform((value, context) => {
    if (typeof value === 'string' && !value.includes('\0')) return value;
    if (typeof value === 'number' && Number.isInteger(value)) return String(value);
    if (value instanceof ExactNumber && /^-?\d+$/.test(value.text)) return value.text;
    const message =
      typeof value === 'string' ? 'holds a NUL character' : 'is neither a string nor an integer';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const schema = z.looseObject({
  cmd: programText,
  auid: text,
  jid,
  /** The same key and the same meta name the same job, however often they are sent. */
  key: text.optional(),
  /** Another host that is to run it: `user@host[:port]`. */
  ssh: text.optional(),
  /** Give the whole line to one shell; without it, each part has its own, and a container's command none. */
  shell: z.boolean('is neither true nor false').optional(),
  /** Who is told of what becomes of it. */
  notify: notifySchema.optional(),
  ...limitFields,
  container: z
    .custom<JsonObject>((value) => isJsonObject(value as JsonValue), 'is not an object')
    .optional(),
});

/**
 * `run`: accepts a job. The reply to a threaded request comes once the job is on the disk; to another one when the
 * job has ended (protocol a.5, a.7). It names the job, which the original does not.
 */
export const run = defineAction({
  schema,
  handlesThreaded: true,
  metaLimits: KEPT_LIMITS,
  handle(meta, { services, threaded, rawMeta, caller, input, trace }) {
    const { cmd, auid, jid, container, ssh, shell, notify } = meta;
    const { jobs, settings } = services;
    const inContainer = jobs.isForEngine(container) ? container : undefined;
    const { isShareMapped } = settings;
    requirePermittedRun(caller, { cmd, rawMeta, container: inContainer, isShareMapped });
    if (notify !== undefined) services.webhooks.check(notify);
    const job = {
      ...{ rawMeta, cmd, auid, jid, limits: meta },
      ...(container && { container }),
      ...(ssh !== undefined && { ssh }),
      ...(shell && { shell }),
      ...(input && { input }),
      ...(trace && { trace }),
    };
    const began = performance.now();
    const submitted =
      caller.grant?.auid === undefined ? jobs.submit(job) : submitApart(services, job);
    return whenThere(submitted, (root) => {
      services.jobAccepted?.((performance.now() - began) / 1000);
      const result = { jobRoot: root, id: services.database.shortNameOf(root) };
      const told = { status: true, result, jobs: [root] };
      return threaded ? told : { ...told, after: jobs.ended(root) };
    });
  },
});

/** Accepts a job of somebody who sees only his own: he is not told which other job has the same key. */
async function submitApart({ jobs }: Services, job: JobRequest): Promise<string> {
  try {
    return await jobs.submit(job);
  } catch (error) {
    if (!(error instanceof PmanError) || error.code !== 'conflict') throw error;
    throw new PmanError('conflict', 'the key stands for another job', { cause: error });
  }
}
