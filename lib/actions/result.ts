import { resultAnswer } from '../dialects/envelope/resultAnswer.ts';
import type { JsonValue } from '../wire/json.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { requireHits } from './hits.ts';

/** `result`: what each job has written and how its parts ended. Not of the original, but its README promises it. */
export const result = defineAction({
  schema: searchMeta,
  async handle(meta, { services: { database, jobs } }) {
    const hits = requireHits({ database, jobs }, meta);
    const results = hits.map(async ({ root, record }, i): Promise<[string, JsonValue]> => {
      const report = await jobs.report(root, record);
      return [String(i), resultAnswer(root, report, jobs.place(root))];
    });
    return { status: true, result: Object.fromEntries(await Promise.all(results)) };
  },
});
