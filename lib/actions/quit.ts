import { z } from 'zod';
import { defineAction } from './action.ts';

/**
 * `quit`: ends the server once the reply is out. The database is always saved, so that `saveDB` makes no
 * difference; `when` is ignored, as in the original (protocol a.7).
 */
export const quit = defineAction({
  schema: z.looseObject({}),
  handle(_meta, { services }) {
    services.shutDown();
    return { status: true, result: {} };
  },
});
