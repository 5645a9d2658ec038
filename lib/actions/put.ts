import { z } from 'zod';
import type { LongWork } from '../concurrency/longWork.ts';
import { anyJson, type Command, operationName, parseMeta, text } from '../wire/request.ts';
import type { Services } from './action.ts';
import { operateDatabase } from './databaseOperation.ts';

const schema = z.looseObject({
  context: text,
  operation: operationName.default('save'),
  dbpath: text.optional(),
  fileio: anyJson.optional(),
  key: text.optional(),
  value: anyJson.optional(),
});

/**
 * The PUT verb with action `run`: an operation on the database when `context` is db, nothing for another context
 * (protocol a.8). With `key` and `value` only the jobs they name are meant.
 */
export const put = {
  schema,
  async handle(services: Services, command: Command, pace?: LongWork): Promise<void> {
    const meta = parseMeta(schema, command);
    if (meta.context.toLowerCase() !== 'db') return;
    const { operation, dbpath, fileio, key, value } = meta;
    const roots =
      key !== undefined && value !== undefined
        ? [...(await services.database.find(key, value, pace))]
        : undefined;
    await operateDatabase(services, { operation, dbpath, fileio, roots }, pace?.toTheEnd());
  },
};
