import { progressAnswer } from '../dialects/envelope/progressAnswer.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { hitsOf, noSuchJob } from './hits.ts';

/** `done`: which sub-jobs have started and how the ended ones did. Despite its name it does not say "done" (protocol a.7). */
export const done = defineAction({
  schema: searchMeta,
  handle(meta, { services }) {
    const hits = hitsOf(services, meta);
    return {
      status: hits.length > 0,
      ...(hits.length > 0 ? {} : { error: noSuchJob(meta) }),
      result: Object.fromEntries(progressAnswer(hits, (root) => services.jobs.place(root))),
    };
  },
});
