import { whenThere } from '../concurrency/soon.ts';
import { NO_PROGRESS, progressAnswer } from '../dialects/envelope/progressAnswer.ts';
import type { JsonValue } from '../wire/json.ts';
import type { ActionResult } from '../wire/reply.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { standing } from './done.ts';
import { answerHits, noSuchJob } from './hits.ts';
import { membersLength } from './members.ts';

/** `status`: what `done` says, and the state of each job in a word (protocol a.7, c, g). */
export const status = defineAction({
  schema: searchMeta,
  handle(meta, { services, pace }) {
    const told = answerHits(
      { services, pace },
      meta,
      (hit, i) => {
        // The container nodes are shown as they were before the question (protocol g).
        const progress = progressAnswer(standing(services, hit), i);
        // Not the whole report: that holds the record.
        return whenThere(
          services.jobs.report(hit.root, hit.record),
          ({ status, combined, note, outputs, shown }) => ({
            progress,
            status,
            combined,
            note,
            outputs,
            shown,
          }),
        );
      },
      ({ progress, combined = '' }) => membersLength(progress) + combined.length,
    );
    return whenThere(told, ({ answers, page }): ActionResult => {
      const found = answers.length > 0;
      const progress = found ? answers.flatMap((each) => each.progress) : NO_PROGRESS;
      const { status: word, members } = services.dialect.status(answers);
      return {
        status: word,
        ...(found ? {} : { error: noSuchJob(meta) }),
        result: Object.fromEntries<JsonValue>([...progress, ...members]),
        ...(page && { page }),
      };
    });
  },
});
