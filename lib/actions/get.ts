import { z } from 'zod';
import { lookup, namesNoJob } from '../tree/lookup.ts';
import { pageFields, treePath } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { rootPage } from './page.ts';

const schema = z.looseObject({
  path: treePath.refine((path) => /^(?:\/|$)/.test(path), 'does not start with "/"'),
  ...pageFields,
});

/** `get`: a place of the tree, as a GET of `/api/v1` and the path answers it (protocol a.7). */
export const get = defineAction({
  schema,
  handle({ path, ...wanted }, { services: { database } }) {
    const apiPath = `/api/v1${path}`;
    if (namesNoJob(apiPath)) return { status: true, ...rootPage(database.roots(), wanted) };
    return { status: true, result: lookup(database, apiPath) ?? false };
  },
});
