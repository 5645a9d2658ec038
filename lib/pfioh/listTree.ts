import { z } from 'zod';
import { BadRequestError } from '../errors.ts';
import { planSending } from '../transfer/send.ts';
import type { JsonObject } from './answer.ts';
import { placeIn } from './messagePlace.ts';
import type { Places } from './places.ts';

const pageSchema = z.looseObject({
  from: z.int().min(0).optional(),
  leavesOut: z.boolean().optional(),
});

/** How many entries one answer tells. */
const PAGE = 20_000;
/** How many of those that are left out an answer names. */
const MOST_NAMED = 1000;

const WRONG_PAGE = 'meta.from is no number of an entry, or meta.leavesOut neither true nor false';

/**
 * `tree`: everything below a folder in the order of a pull, without its content, `from` the entry that is named on. The
 * `tag` is another one when anything has changed, the `shape` when there are other entries. With `leavesOut`, what
 * cannot be sent is no error: it is named in `leftOut`, with the reason, and counted.
 * @throws PmanError as a pull of the same place does
 */
export async function listTree(meta: unknown, places: Places): Promise<JsonObject> {
  const path = placeIn(meta, places);
  const { data } = pageSchema.safeParse(meta);
  if (data === undefined) throw new BadRequestError(WRONG_PAGE);
  const { from = 0, leavesOut = false } = data;
  const left = new Map<string, string>();
  const plan = await planSending(path, {
    ...{ archive: true, encoding: 'none', contentOnly: true, within: places.base },
    ...(leavesOut && {
      leftOut: ({ name, why }) => left.set(name, places.withoutBase(why.message)),
    }),
  });
  const entries: (readonly [string, string, number, number])[] = [];
  let place = 0;
  for await (const { name, kind, size, mode } of plan.entries()) {
    if (place >= from && entries.length < PAGE) entries.push([name, kind, size, mode]);
    place += 1;
  }
  const next = from + entries.length;
  return {
    status: true,
    msg: `Successful walk of ${path}`,
    kind: plan.root.kind,
    tag: plan.treeTag,
    shape: plan.shape,
    total: place,
    ...(next < place ? { next } : {}),
    ...(leavesOut ? { leftOut: [...left].slice(0, MOST_NAMED), leftOutCount: left.size } : {}),
    entries,
  };
}
