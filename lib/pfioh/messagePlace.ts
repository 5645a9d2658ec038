import { z } from 'zod';
import { BadRequestError } from '../errors.ts';
import type { Places } from './places.ts';

/** How a JSON message names a place: a path or a key, and perhaps what lies below it. */
const placeSchema = z.looseObject({
  path: z.string().min(1).optional(),
  key: z.union([z.string().min(1), z.number().transform(String)]).optional(),
  subdir: z.string().min(1).optional(),
});

/** The path that a message means. @throws PmanError */
export function placeIn(meta: unknown, places: Places): string {
  const { data } = placeSchema.safeParse(meta);
  if (data === undefined)
    throw new BadRequestError('the request wants meta.path or meta.key, and may name meta.subdir');
  const folder = places.resolve(data, 'meta');
  return data.subdir === undefined ? folder : places.below(folder, data.subdir);
}

/** Whether a message names its place by a key. */
export function namesKey(meta: unknown): boolean {
  return placeSchema.safeParse(meta).data?.key !== undefined;
}
