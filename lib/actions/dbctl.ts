import { z } from 'zod';
import { anyJson, operationName, pageFields, text } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { operateDatabase } from './databaseOperation.ts';
import { rootPage } from './page.ts';

const schema = z.looseObject({
  do: operationName,
  dbpath: text.optional(),
  fileio: anyJson.optional(),
  ...pageFields,
});

/** `DBctl`: saves, loads or clears the database; answers with the list of job roots (protocol a.7), a page of it. */
export const dbctl = defineAction({
  schema,
  async handle({ do: operation, dbpath, fileio, ...wanted }, { services, pace }) {
    await operateDatabase(services, { operation, dbpath, fileio }, pace?.toTheEnd());
    return { status: true, ...rootPage(services.database.roots(), wanted) };
  },
});
