import { progressAnswer } from '../dialects/envelope/progressAnswer.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { hitsOf, noSuchJob } from './hits.ts';

/** `status`: what `done` says, and the state of each job in a word (protocol a.7, c, g). */
export const status = defineAction({
  schema: searchMeta,
  async handle(meta, { services: { database, jobs, dialect } }) {
    const hits = hitsOf({ database, jobs }, meta);
    // The container nodes are shown as they were before the question (protocol g).
    const progress = progressAnswer(hits, (root) => jobs.place(root));
    const reports = await Promise.all(hits.map(({ root, record }) => jobs.report(root, record)));
    const { status: told, members } = dialect.status(reports);
    return {
      status: told,
      ...(hits.length > 0 ? {} : { error: noSuchJob(meta) }),
      result: Object.fromEntries([...progress, ...members]),
    };
  },
});
