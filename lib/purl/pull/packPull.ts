import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { OFFSET_HEADER, PACK, PACK_TYPE, takesPacks } from '../../transfer/pack/agreed.ts';
import { unpackPack } from '../../transfer/pack/unpackPack.ts';
import { openPartial, type Partial } from '../../transfer/partial.ts';
import type { Peer } from '../peer.ts';
import type { TransferMessage } from '../transferMessage.ts';
import type { TransferOptions } from '../transferOptions.ts';
import { pullId } from './keptPull.ts';
import type { PullForm } from './pullForm.ts';
import {
  checkDigest,
  requireWhole,
  type StoredPull,
  type StoreOptions,
  unpacking,
} from './storePull.ts';

/** Whether a pull comes as a pack: all of it is unpacked here, and the other side makes them. */
export function comesPacked(
  { transport, unpack }: TransferMessage,
  { archive, isBase64 }: PullForm,
  { kind, archives }: Peer,
  goesOn: boolean,
): boolean {
  const isFit = archive && unpack && !isBase64 && kind === 'own' && takesPacks(archives);
  // To go on with a pack, one has to know that it is the same: by the tag of what is listed.
  return isFit && (!goesOn || 'only' in transport);
}

/** The message that asks for a pack. */
export function askingForPack(message: TransferMessage): TransferMessage {
  const compress = { ...message.compress, encoding: 'none', archive: PACK };
  return { ...message, compress, transport: { ...message.transport, compress } };
}

/** What is here already of a pack that comes from this place. @throws PmanError */
export function openKeptPack(message: TransferMessage, peer: Peer): Promise<Partial> {
  return openPartial(message.localPath, pullId(message, peer, [PACK, message.transport.only]));
}

/** How a pack is asked for that is partly here. */
export function offsetHeaders(kept: Partial | undefined): [string, string][] {
  return kept === undefined || kept.bytes === 0 ? [] : [[OFFSET_HEADER, String(kept.bytes)]];
}

/** The first byte of the pack that an answer brings; undefined when it brings something else. */
export function packStart({ headers }: IncomingMessage): number | undefined {
  if (headers['content-type'] !== PACK_TYPE) return undefined;
  return Number(headers[OFFSET_HEADER.toLowerCase()] ?? 0);
}

export interface PackOptions extends StoreOptions {
  readonly partial: Partial | undefined;
  /** The byte of the pack that comes first. */
  readonly start: number;
  readonly onFailed: TransferOptions['onFailed'];
}

/** Unpacks what an answer brings while it comes, and lets go of what is kept. @throws PurlFailure, PmanError */
export async function storePack(
  source: Readable,
  answer: IncomingMessage,
  message: TransferMessage,
  options: PackOptions,
): Promise<StoredPull> {
  const { peer, check, onBytes, partial, start, onFailed } = options;
  const kept = partial && { partial, offset: start };
  const accept = ({ digest }: { readonly digest: string }) =>
    checkDigest(answer, digest, { peer, check });
  const arriving = { source, check, kept, onBytes, accept, onFailed };
  const how = unpacking(message, options);
  const { bytes } = await unpackPack(message.localPath, arriving, how).catch((error: unknown) => {
    requireWhole(answer, peer);
    throw error;
  });
  return { kind: 'unpacked', bytes, archiveBytes: bytes };
}
