import { z } from 'zod';
import { describeFaults } from '../transfer/faults.ts';
import { PurlFailure } from './failure.ts';
import type { Message } from './jsonMessage.ts';

const metaSchema = z.looseObject({
  local: z.looseObject({ path: z.string().min(1), createDir: z.boolean().optional() }),
  remote: z.looseObject({
    path: z.string().min(1).optional(),
    key: z.union([z.string().min(1), z.number().transform(String)]).optional(),
  }),
  transport: z
    .looseObject({
      compress: z
        .looseObject({
          encoding: z.string().optional(),
          archive: z.string().optional(),
          unpack: z.boolean().optional(),
        })
        .optional(),
      copy: z.looseObject({ symlink: z.boolean().optional() }).optional(),
    })
    .optional(),
});

/** A pushPath or pullPath message, taken apart. */
export interface TransferMessage {
  readonly verb: 'push' | 'pull';
  readonly action: string;
  readonly localPath: string;
  readonly createDir: boolean;
  readonly remotePath: string | undefined;
  readonly remoteKey: string | undefined;
  readonly copy: { readonly symlink: boolean } | undefined;
  readonly archive: boolean;
  readonly encoding: 'none' | 'base64';
  readonly unpack: boolean;
  /** The `meta` as it was given. */
  readonly meta: Readonly<Record<string, unknown>>;
  readonly transport: Readonly<Record<string, unknown>>;
  readonly compress: Readonly<Record<string, unknown>>;
}

// pfurl: a message without a transport means this one.
const DEFAULT_COMPRESS = { archive: 'zip', encoding: 'none', unpack: true, cleanup: true };

/** @throws PurlFailure `usage` naming what is missing */
export function parseTransfer({ value }: Message): TransferMessage {
  const action = String(value.action);
  const { data, error } = metaSchema.safeParse(value.meta);
  if (error !== undefined) {
    const faults = describeFaults(error, 'meta');
    throw new PurlFailure('usage', `${action}: ${faults}; see --man ${action}`);
  }
  const { local, remote, transport = {} } = data;
  if (remote.path === undefined && remote.key === undefined) {
    throw new PurlFailure('usage', `${action}: meta.remote wants a path or a key`);
  }
  const copies = transport.compress === undefined && transport.copy !== undefined;
  const compress = transport.compress ?? DEFAULT_COMPRESS;
  const encoding = compress.encoding ?? 'none';
  if (encoding !== 'none' && encoding !== 'base64') {
    throw new PurlFailure('usage', `${action}: encoding is base64 or none, not ${encoding}`);
  }
  return {
    verb: /pull/i.test(action) ? 'pull' : 'push',
    action,
    localPath: local.path,
    createDir: local.createDir ?? false,
    remotePath: remote.path,
    remoteKey: remote.key,
    copy: copies ? { symlink: transport.copy?.symlink ?? false } : undefined,
    archive: compress.archive === 'zip',
    encoding,
    unpack: compress.unpack ?? compress.archive === 'zip',
    meta: data,
    transport,
    compress,
  };
}
