import { NO_PROGRESS, progressAnswer } from '../dialects/envelope/progressAnswer.ts';
import type { JsonValue } from '../wire/json.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction, type Services } from './action.ts';
import { answerHits, type Hit, noSuchJob } from './hits.ts';
import { membersLength } from './members.ts';

/** `done`: which sub-jobs have started and how the ended ones did. Despite its name it does not say "done" (protocol a.7). */
export const done = defineAction({
  schema: searchMeta,
  async handle(meta, { services, pace }) {
    const { answers, ...page } = await answerHits(
      { services, pace },
      meta,
      (hit, i) => progressAnswer(standing(services, hit), i),
      membersLength,
    );
    const found = answers.length > 0;
    return {
      status: found,
      ...(found ? {} : { error: noSuchJob(meta) }),
      result: Object.fromEntries<JsonValue>(found ? answers.flat() : NO_PROGRESS),
      ...page,
    };
  },
});

/** How a job stands, by its record. */
export function standing({ jobs }: Pick<Services, 'jobs'>, { root, record }: Hit) {
  return { root, record, progress: jobs.progress(record), place: jobs.place(root) };
}
