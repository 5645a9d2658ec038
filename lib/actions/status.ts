import { NO_PROGRESS, progressAnswer } from '../dialects/envelope/progressAnswer.ts';
import type { JsonValue } from '../wire/json.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { standing } from './done.ts';
import { answerHits, noSuchJob } from './hits.ts';
import { membersLength } from './members.ts';

/** `status`: what `done` says, and the state of each job in a word (protocol a.7, c, g). */
export const status = defineAction({
  schema: searchMeta,
  async handle(meta, { services, pace }) {
    const { answers, ...page } = await answerHits(
      { services, pace },
      meta,
      async (hit, i) => {
        // The container nodes are shown as they were before the question (protocol g).
        const progress = progressAnswer(standing(services, hit), i);
        const { status, combined, note, outputs, shown } = await services.jobs.report(
          hit.root,
          hit.record,
        );
        // Not the whole report: that holds the record.
        return { progress, status, combined, note, outputs, shown };
      },
      ({ progress, combined = '' }) => membersLength(progress) + combined.length,
    );
    const found = answers.length > 0;
    const progress = found ? answers.flatMap((told) => told.progress) : NO_PROGRESS;
    const { status: told, members } = services.dialect.status(answers);
    return {
      status: told,
      ...(found ? {} : { error: noSuchJob(meta) }),
      result: Object.fromEntries<JsonValue>([...progress, ...members]),
      ...page,
    };
  },
});
