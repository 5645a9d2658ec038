import { z } from 'zod';
import { isTruthy, type JsonValue } from '../wire/json.ts';
import { anyJson } from '../wire/request.ts';
import { defineAction } from './action.ts';

const schema = z.looseObject({ serveforever: anyJson });

/** `fileiosetup`: opens a file transfer endpoint beside pman, for one request or for ever (protocol a.7). */
export const fileiosetup = defineAction({
  schema,
  async handle(meta, { services }) {
    const serveforever: JsonValue = meta.serveforever;
    const { ip, port } = await services.openFileio({ forever: isTruthy(serveforever) });
    return {
      status: true,
      result: { fileioIP: ip, fileioport: String(port), serveforever },
    };
  },
});
