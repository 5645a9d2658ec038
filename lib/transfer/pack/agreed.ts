/** By this header pfioh says which archives it knows beside zip. */
export const ARCHIVES_HEADER = 'Pfioh-Archives';
/** What says, beside it, that pfioh tells the chunks of files and takes files that are made from what it has. */
export const PATCH = 'patch';
/** The name of a pack, where an archive is asked for or announced. */
export const PACK = 'pack';
/** What the answer to a pull is, when it is one. */
export const PACK_TYPE = 'application/x-pfioh-pack';
/** The byte of a pack that a pull goes on with. */
export const OFFSET_HEADER = 'Pfioh-Offset';

/** Whether the other end takes packs and makes them; `said`: its `Pfioh-Archives`. */
export function takesPacks(said: string | undefined): boolean {
  return isIn(said, PACK);
}

/** Whether the other end takes packs with patches in them. */
export function takesPatches(said: string | undefined): boolean {
  return isIn(said, PATCH);
}

function isIn(said: string | undefined, name: string): boolean {
  return said?.split(/[\s,]+/).includes(name) ?? false;
}
