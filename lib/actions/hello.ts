import { z } from 'zod';
import { BadRequestError } from '../errors.ts';
import { preciseNow } from '../host/clock.ts';
import { compactStamp } from '../host/stamps.ts';
import { systemInfo } from '../host/systemInfo.ts';
import { NAME, VERSION } from '../version.ts';
import { cutJson } from '../wire/cut.ts';
import type { JsonObject, JsonValue } from '../wire/json.ts';
import { defineAction, type Services } from './action.ts';

/** How much of `echoBack` comes back, in characters. */
const MAX_ECHO = 4 * 1024 * 1024;

const schema = z.looseObject({
  askAbout: z.custom<JsonValue>().optional(),
  echoBack: z.custom<JsonValue>().optional(),
});

/** `hello`: who is there, and one more thing that `askAbout` names (protocol a.7). */
export const hello = defineAction({
  schema,
  handle({ askAbout, echoBack }, { services }) {
    if (askAbout === undefined) return { status: false, result: {} };
    const self = { name: NAME, version: VERSION };
    switch (typeof askAbout === 'string' ? askAbout : '') {
      case 'timestamp':
        return {
          status: true,
          result: {
            name: NAME,
            version: VERSION,
            timestamp: { now: compactStamp(preciseNow()) },
          },
        };
      case 'sysinfo':
        return { status: true, result: { ...self, sysinfo: systemInfo() } };
      case 'health':
        return { status: true, result: { ...self, health: healthOf(services) } };
      case 'echoBack':
        if (echoBack === undefined) {
          throw new BadRequestError(
            'hello: "meta.echoBack": is missing: there is nothing to echo',
            {
              hint: 'send {"askAbout": "echoBack", "echoBack": "any JSON"}',
            },
          );
        }
        return {
          status: true,
          result: { ...self, echoBack: { msg: cutJson(echoBack, MAX_ECHO) } },
        };
      default:
        return { status: false, result: self };
    }
  },
});

/** What an operator or a load balancer wants to know; not of the original. */
function healthOf({ database, jobs }: Services): JsonObject {
  return {
    ok: database.problem === undefined,
    database: database.problem ?? 'can be written',
    ...(database.indexing === undefined ? {} : { recordsRead: { ...database.indexing } }),
    jobs: { ...jobs.counts, recorded: database.roots().length },
    limitedBy: { ...jobs.enforcers },
  };
}
