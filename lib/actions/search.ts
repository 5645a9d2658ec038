import { z } from 'zod';
import { lookup } from '../tree/lookup.ts';
import { answerLength } from '../wire/json.ts';
import { searchMeta, treePath } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { answerHits, noSuchJob } from './hits.ts';

const index = z.union([treePath, z.number().int().transform(String)], {
  error: 'is neither a string nor an integer',
});

const schema = searchMeta.extend({
  path: treePath.optional(),
  job: index.optional(),
  when: treePath.default('end'),
  field: treePath.optional(),
});

/**
 * `search`: a place of each job's tree (protocol a.7): the leaf that was searched, the `path` below the job, or, with
 * `job`, one sub-job's entry at its start or end (`when`) or one `field` of it.
 */
export const search = defineAction({
  schema,
  async handle(meta, { services, pace }) {
    const place = placeOf(meta);
    const { answers, ...page } = await answerHits(
      { services, pace },
      meta,
      ({ root }) => lookup(services.database, `/api/v1/${root}${place}`) ?? false,
      answerLength,
    );
    const status = answers.length > 0;
    const found = { status, result: Object.fromEntries(answers.entries()), ...page };
    return status ? found : { ...found, error: noSuchJob(meta) };
  },
});

function placeOf({ key, path, job, when, field }: z.infer<typeof schema>): string {
  if (job !== undefined) {
    const entry = `/${when}/${job}/${when}Info/${job}`;
    return field === undefined ? entry : `${entry}/${field}`;
  }
  if (path === undefined) return `/${key}`;
  return path.startsWith('/') ? path : `/${path}`;
}
