import type { JsonValue } from '../wire/json.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { hitsOf, noSuchJob } from './hits.ts';

/** `info`: the newest start and end entries of each job (protocol a.7). */
export const info = defineAction({
  schema: searchMeta,
  handle(meta, { services }) {
    const hits = hitsOf(services, meta);
    if (hits.length === 0) {
      return {
        status: false,
        error: noSuchJob(meta),
        result: { '-1': { noJobFound: { endInfo: { allJobsDone: null } } } },
      };
    }
    const result = hits.flatMap(({ root, record }, i): [string, JsonValue][] => [
      [`${i}.0`, { [root]: { startInfo: record.cat(['startInfo']) ?? false } }],
      [`${i}.1`, { [root]: { endInfo: record.cat(['endInfo']) ?? false } }],
    ]);
    return { status: true, result: Object.fromEntries(result) };
  },
});
