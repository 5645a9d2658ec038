import type { JsonValue } from '../wire/json.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { answerHits, noSuchJob } from './hits.ts';
import { membersLength } from './members.ts';

/** `info`: the newest start and end entries of each job (protocol a.7). */
export const info = defineAction({
  schema: searchMeta,
  async handle(meta, { services, pace }) {
    const { answers, ...page } = await answerHits(
      { services, pace },
      meta,
      ({ root, record }, i): readonly [string, JsonValue][] => [
        [`${i}.0`, { [root]: { startInfo: record.cat(['startInfo']) ?? false } }],
        [`${i}.1`, { [root]: { endInfo: record.cat(['endInfo']) ?? false } }],
      ],
      membersLength,
    );
    if (answers.length === 0) {
      const nothing = { '-1': { noJobFound: { endInfo: { allJobsDone: null } } } };
      return { status: false, error: noSuchJob(meta), result: nothing, ...page };
    }
    return { status: true, result: Object.fromEntries(answers.flat()), ...page };
  },
});
