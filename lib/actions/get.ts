import { z } from 'zod';
import { lookup } from '../tree/lookup.ts';
import { text } from '../wire/request.ts';
import { defineAction } from './action.ts';

const schema = z.looseObject({
  path: text.refine((path) => /^(?:\/|$)/.test(path), 'does not start with "/"'),
});

/** `get`: a place of the tree, as a GET of `/api/v1` and the path answers it (protocol a.7). */
export const get = defineAction({
  schema,
  handle({ path }, { services }) {
    return { status: true, result: lookup(services.database, `/api/v1${path}`) ?? false };
  },
});
