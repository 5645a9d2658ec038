/** By this header pfioh says which archives it knows beside zip. */
export const ARCHIVES_HEADER = 'Pfioh-Archives';
/** The name of a pack, where an archive is asked for or announced. */
export const PACK = 'pack';
/** What the answer to a pull is, when it is one. */
export const PACK_TYPE = 'application/x-pfioh-pack';
/** The byte of a pack that a pull goes on with. */
export const OFFSET_HEADER = 'Pfioh-Offset';

/** Whether the other end takes packs and makes them; `said`: its `Pfioh-Archives`. */
export function takesPacks(said: string | undefined): boolean {
  return said?.split(/[\s,]+/).includes(PACK) ?? false;
}
