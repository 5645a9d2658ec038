import { BadRequestError } from '../../errors.ts';
import { PACK } from '../../transfer/pack/agreed.ts';
import { placesIn } from '../../transfer/placeRuns.ts';
import type { SendOptions } from '../../transfer/send.ts';
import type { TransferMeta } from '../meta.ts';
import type { Places } from '../places.ts';
import { isPlugin, outgoingFolder } from '../plugin.ts';

/** What a pull sends, and in which form. */
export interface PullSource extends SendOptions {
  readonly path: string;
  /** Whether an archive is sent as a pack. */
  readonly isPack: boolean;
  /** The tag that the tree has to have still; undefined: any. */
  readonly onlyIfTag: string | undefined;
  /** The shape that is enough, whatever the tag is. */
  readonly onlyIfShape: string | undefined;
  /** The folder that goes when everything has been sent. */
  readonly removedAfterwards: string | undefined;
}

/** @throws PmanError */
export function pullSource(meta: TransferMeta, places: Places): PullSource {
  const { compress, only } = meta.transport ?? {};
  const place = places.resolve(meta.remote);
  const byKey = meta.remote?.key !== undefined;
  const plugin = isPlugin(meta);
  const { archive = 'zip' } = compress ?? {};
  // pfioh 1.6.2 encodes unless told otherwise; requests by key are of later clients, which store what comes as it is.
  const encoding = checkEncoding(
    byKey || compress === undefined ? 'none' : (compress.encoding ?? 'base64'),
  );
  const isRemoved = plugin && byKey && meta.specialHandling?.cleanup === true;
  return {
    path: plugin ? outgoingFolder(place, places) : place,
    archive: archive === 'zip' || archive === PACK,
    isPack: archive === PACK && encoding === 'none',
    encoding,
    contentOnly: byKey || place.endsWith('/'),
    within: places.base,
    ...(only !== undefined && { chosen: chosenBy(placesIn(only.places)), leftOut: () => {} }),
    onlyIfTag: only?.tag,
    onlyIfShape: only?.shape,
    goesOn: only?.goesOn,
    removedAfterwards: isRemoved ? place : undefined,
  };
}

const chosenBy = (has: (place: number) => boolean) => (_entry: unknown, place: number) =>
  has(place);

function checkEncoding(encoding: string): 'none' | 'base64' {
  if (encoding === 'none' || encoding === '') return 'none';
  if (encoding === 'base64') return 'base64';
  throw new BadRequestError(`unknown encoding ${JSON.stringify(encoding)}: base64 or none`);
}
