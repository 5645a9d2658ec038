import { basename } from 'node:path';
import { BadRequestError, PmanError } from '../../errors.ts';
import { isReservedName, requirePossible } from '../../transfer/names.ts';
import { pathState, provideFolder } from '../../transfer/pathState.ts';
import type { Context } from '../context.ts';
import { incomingFolder, isPlugin } from '../plugin.ts';
import type { Push } from './pushRequest.ts';

/** Where a push goes. */
export interface PushTarget {
  /** The folder that the request names; plugins get one below it. */
  readonly place: string;
  /** The folder in the words of the request, with the `/` that a name is put behind; empty when it names none. */
  readonly said: string;
  readonly folder: string;
  readonly name: string;
}

/** Finds the folder of a push, or makes it where that is allowed. @throws PmanError */
export function pushTarget(push: Push, { places, createDirs }: Context): PushTarget {
  const { meta } = push;
  const named = basename(meta.local?.path ?? push.filename);
  if (named === '' || named === '.' || named === '..' || isReservedName(named)) {
    throw new BadRequestError('the request does not name what is sent: meta.local.path');
  }
  requirePossible(named);
  // pfioh 1.6.2: without a remote path it is stored here as received-<name>.
  const { remote } = meta;
  const isNamed = remote?.path !== undefined || remote?.key !== undefined;
  const place = isNamed ? places.resolve(remote) : places.path('.');
  checkFolder(place, createDirs, places.base);
  return {
    place,
    folder: isPlugin(meta) ? incomingFolder(place, places) : place,
    name: isNamed ? named : `received-${named}`,
    said: isNamed ? `${remote.path ?? place.replace(/\/$/, '')}/` : '',
  };
}

function checkFolder(place: string, createDirs: boolean, base: string | undefined): void {
  const there = pathState(place);
  if (there.isdir) return;
  if (there.status) {
    throw new PmanError('conflict', `cannot push to ${place}: it is a file, not a folder`);
  }
  if (!createDirs) {
    throw new PmanError('not_found', `cannot push to ${place}: no such folder`, {
      hint: 'make the folder, or start pfioh with --createDirsAsNeeded',
    });
  }
  provideFolder(place, base);
}
