import { searchMeta } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { jobStates } from './done.ts';
import { hitsOf } from './hits.ts';

/** `status`: what `done` says, and the state of each job in a word (protocol a.7, c). */
export const status = defineAction({
  schema: searchMeta,
  handle(meta, { services }) {
    const hits = hitsOf(services, meta);
    return {
      status: hits.length > 0,
      result: Object.fromEntries([
        ...jobStates(hits),
        ['l_status', hits.map(({ progress }) => progress.status)],
        ['l_logs', []],
      ]),
    };
  },
});
