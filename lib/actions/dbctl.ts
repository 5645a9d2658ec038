import { z } from 'zod';
import { rootList } from '../tree/lookup.ts';
import { anyJson, operationName, text } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { operateDatabase } from './databaseOperation.ts';

const schema = z.looseObject({
  do: operationName,
  dbpath: text.optional(),
  fileio: anyJson.optional(),
});

/** `DBctl`: saves, loads or clears the database; answers with the list of job roots (protocol a.7). */
export const dbctl = defineAction({
  schema,
  async handle({ do: operation, dbpath, fileio }, { services }) {
    await operateDatabase(services, { operation, dbpath, fileio });
    return { status: true, result: rootList(services.database) };
  },
});
