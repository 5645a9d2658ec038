import type { IncomingMessage } from 'node:http';
import { BadRequestError } from '../../errors.ts';
import type { Check } from '../../transfer/contentCheck.ts';
import { PACK } from '../../transfer/pack/agreed.ts';
import { checkOf } from '../checkOf.ts';
import type { Fields } from '../form.ts';
import { checkMeta, parseControl, type TransferMeta } from '../meta.ts';

/** A push, as its form describes it. */
export interface Push {
  readonly meta: TransferMeta;
  /** pfioh 2 and later (`Mode: file`): archives hold the content of a folder, and other reports. */
  readonly isFileMode: boolean;
  readonly encoding: string;
  readonly filename: string;
  readonly userAgent: string;
  /** How its content is checked. */
  readonly check: Check;
  /** All fields of the form; fails when the form does not come to its end. */
  readonly all: Promise<Fields>;
}

/** Whether a request is one of pfioh 2 and later with a file in it. */
export function isFileMode({ headers: { mode } }: IncomingMessage): boolean {
  return mode !== undefined && mode !== 'control';
}

/** Where the request wants it, in its own words. */
export function placeOf({ meta: { remote } }: Push): string | undefined {
  return remote?.path ?? remote?.key;
}

/** Whether it brings a pack. @throws BadRequestError for one that is not to be unpacked */
export function isPack({ meta, isFileMode: mode }: Push): boolean {
  const { archive, unpack = mode } = meta.transport?.compress ?? {};
  if (archive !== PACK) return false;
  if (!unpack) throw new BadRequestError('a pack is not stored as it is: compress.unpack says no');
  return true;
}

/** @throws BadRequestError naming what is wrong with the description */
export function readPush(fields: Fields, request: IncomingMessage, all: Promise<Fields>): Push {
  const { meta } = parseControl(fields.get('d_msg') ?? '{}');
  return {
    meta: checkMeta(meta),
    isFileMode: isFileMode(request),
    encoding: fields.get('encoding') ?? 'none',
    filename: fields.get('filename') ?? '',
    userAgent: request.headers['user-agent'] ?? '',
    check: checkOf(request),
    all,
  };
}
