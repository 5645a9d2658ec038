import { randomUUID } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type { SendPlan } from '../../transfer/send.ts';
import { dumps } from '../../wire/pythonJson.ts';
import type { TransferMessage } from '../transferMessage.ts';
import type { PushArchive } from './pushPlan.ts';

/** What the content of a push is called: as an archive, and in the form. */
export interface PushNames {
  readonly zip: string;
  readonly form: string;
}

export function pushNames(plan: SendPlan): PushNames {
  const zip = `${randomUUID()}.zip`;
  const suffix = plan.encoding === 'base64' ? '.b64' : '';
  return { zip, form: plan.archive ? zip + suffix : basename(plan.path) };
}

/** Where a push goes on, and under which name what arrives is kept; only with our own pfioh. */
export interface Resume {
  readonly id: string;
  readonly offset: number;
}

export interface PushWording {
  readonly isFileMode: boolean;
  readonly jsonwrapper: string;
  readonly resume: Resume | undefined;
  readonly archive: PushArchive;
}

export type FormFields = readonly (readonly [string, string])[];

/** The text fields of the form; a Python pfioh of 2 and later counts on exactly two. */
export function pushFields(
  message: TransferMessage,
  plan: SendPlan,
  filename: string,
  { isFileMode, jsonwrapper, resume, archive }: PushWording,
): FormFields {
  const dress = plan.archive
    ? {}
    : {
        mode: plan.root.mode,
        mtimeNs: String(plan.root.mtimeNs),
        // Unknown when the file does not say the truth about its size.
        ...(plan.bytes === undefined ? {} : { bytes: plan.file.size }),
      };
  const unpacks = archive === 'pack' ? { unpack: true } : {};
  const compress = plan.archive ? { ...message.compress, archive, ...unpacks } : message.compress;
  const meta = {
    ...message.meta,
    local: { ...asObject(message.meta.local), ...nameable(message.localPath), ...dress },
    transport: { ...message.transport, compress, ...(resume ? { resume } : {}) },
  };
  const inner = { action: message.action, meta };
  const wrapped = jsonwrapper === '' ? inner : { [jsonwrapper]: inner };
  const encoding = isFileMode ? [] : [['encoding', plan.encoding] as const];
  return [['d_msg', dumps(wrapped)], ...encoding, ['filename', filename]];
}

/** What is pushed is named by the last part of its path, which `.` and `..` do not have. */
function nameable(path: string): { readonly path?: string } {
  return /(?:^|\/)\.{1,2}\/*$/.test(path) ? { path: resolve(path) } : {};
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
