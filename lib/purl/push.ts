import { createHash, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { basename, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseJsonOrUndefined } from '../transfer/jsonText.ts';
import { sizeText } from '../transfer/report.ts';
import { planSending, type Sending, type SendPlan, startSending } from '../transfer/send.ts';
import { spool } from '../transfer/spool.ts';
import { Tap } from '../transfer/tap.ts';
import { dumps } from '../wire/pythonJson.ts';
import { PurlFailure } from './failure.ts';
import { readText, send } from './http.ts';
import { type Form, makeForm } from './multipart.ts';
import type { Peer } from './peer.ts';
import type { Progress } from './progress.ts';
import type { TransferMessage } from './transferMessage.ts';

export interface PushOptions {
  readonly peer: Peer;
  /** pfioh 2 and later: the content of a folder, no encoding, `Mode: file`. */
  readonly isFileMode: boolean;
  readonly jsonwrapper: string;
  readonly progress: Progress;
  /** Go on from `offset` and keep what arrives; only with our own pfioh. */
  readonly resume?: { readonly id: string; readonly offset: number } | undefined;
}

export interface PushResult {
  /** The reports about zip and encoding. */
  readonly local: Readonly<Record<string, unknown>>;
  /** The text of the server's answer. */
  readonly answer: string;
}

/** What a push sends. @throws PmanError */
export function planPush(message: TransferMessage, isFileMode: boolean): Promise<SendPlan> {
  return planSending(message.localPath, {
    archive: message.archive || isFileMode,
    encoding: isFileMode ? 'none' : message.encoding,
    contentOnly: isFileMode,
  });
}

/** The name of a push for `--resume`: the same for the same content, place and form. */
export function pushId(message: TransferMessage, plan: SendPlan): string {
  const what = [plan.path, plan.tag, message.remotePath, message.remoteKey];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32);
}

/**
 * Pushes a file or folder. To our own pfioh it is sent while it is made, with its SHA-256 behind it;
 * a Python pfioh wants to know the length first, so the content is kept in a nameless file meanwhile.
 * @throws PurlFailure, PmanError
 */
export async function pushPath(
  message: TransferMessage,
  plan: SendPlan,
  options: PushOptions,
): Promise<PushResult> {
  const { peer, progress, resume } = options;
  const zipName = `${randomUUID()}.zip`;
  const suffix = plan.encoding === 'base64' ? '.b64' : '';
  const filename = plan.archive ? zipName + suffix : basename(plan.path);
  const fields = formFields(message, plan, options, filename);
  progress.start(plan.bytes, resume?.offset);
  try {
    const { answer, bytes } = await (peer.kind === 'own'
      ? stream(fields, filename, plan, options)
      : keepAndSend(fields, filename, plan, options));
    return { local: localReport(plan, zipName, bytes), answer };
  } finally {
    progress.stop();
  }
}

type FormFields = readonly (readonly [string, string])[];

async function stream(before: FormFields, filename: string, plan: SendPlan, options: PushOptions) {
  const { peer, progress, resume } = options;
  let sending: Sending | undefined;
  const form = makeForm({
    before,
    filename,
    content: (out) => {
      sending = startSending(plan, resume?.offset, progress.add.bind(progress));
      return sending.sendTo(out);
    },
    after: () => ['sha256', sending?.sha256() ?? ''],
  });
  const answer = await post(peer, form, options, undefined);
  verify(answer, sending, peer);
  return { answer, bytes: sending?.bytes ?? 0 };
}

async function keepAndSend(
  before: FormFields,
  filename: string,
  plan: SendPlan,
  options: PushOptions,
) {
  const add = options.progress.add.bind(options.progress);
  const kept = await spool(startSending(plan).stream(), tmpdir());
  try {
    const form = makeForm({
      before,
      filename,
      content: (out) => pipeline(kept.read(), new Tap({ onBytes: add }), out, { end: false }),
    });
    const answer = await post(options.peer, form, options, form.overhead + kept.bytes);
    verify(answer, undefined, options.peer);
    return { answer, bytes: kept.bytes };
  } finally {
    await kept.close();
  }
}

/** The text fields of the form; a Python pfioh of 2 and later counts on exactly two. */
function formFields(
  message: TransferMessage,
  plan: SendPlan,
  options: PushOptions,
  filename: string,
): FormFields {
  const dress = plan.archive ? {} : { mode: plan.root.mode, mtimeNs: String(plan.root.mtimeNs) };
  const compress = plan.archive ? { ...message.compress, archive: 'zip' } : message.compress;
  const meta = {
    ...message.meta,
    local: { ...asObject(message.meta.local), ...nameable(message.localPath), ...dress },
    transport: {
      ...message.transport,
      compress,
      ...(options.resume ? { resume: options.resume } : {}),
    },
  };
  const inner = { action: message.action, meta };
  const wrapped = options.jsonwrapper === '' ? inner : { [options.jsonwrapper]: inner };
  const encoding = options.isFileMode ? [] : [['encoding', plan.encoding] as const];
  return [['d_msg', dumps(wrapped)], ...encoding, ['filename', filename]];
}

/** What is pushed is named by the last part of its path, which `.` and `..` do not have. */
function nameable(path: string): { readonly path?: string } {
  return /(?:^|\/)\.{1,2}\/*$/.test(path) ? { path: resolve(path) } : {};
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

async function post(
  peer: Peer,
  form: Form,
  { isFileMode }: PushOptions,
  length: number | undefined,
): Promise<string> {
  const headers: [string, string][] = [['Content-Type', form.contentType]];
  if (isFileMode) headers.push(['Mode', 'file']);
  if (length !== undefined) headers.push(['Content-Length', String(length)]);
  const answer = await send(
    {
      method: 'POST',
      url: peer.url,
      headers,
      body: form.send,
      oldPeer: peer.kind !== 'own',
      signal: peer.signal,
    },
    peer.client,
  );
  const text = await readText(answer);
  const status = answer.statusCode ?? 0;
  if (status >= 400) {
    const said = parseJsonOrUndefined(text);
    const why = hasMessage(said) ? said.msg : `${status} ${answer.statusMessage}`;
    throw new PurlFailure('transfer', `${peer.url.host} refused the push: ${why}`);
  }
  return text;
}

function hasMessage(value: unknown): value is { readonly msg: string } {
  return (
    typeof value === 'object' && value !== null && 'msg' in value && typeof value.msg === 'string'
  );
}

/** Checks that the server says it has what was sent. */
function verify(answer: string, sending: Sending | undefined, peer: Peer): void {
  const value = parseJsonOrUndefined(answer);
  if (typeof value !== 'object' || value === null) {
    throw new PurlFailure(
      'transfer',
      `${peer.url.host} did not report the push: ${JSON.stringify(answer.slice(0, 80))}`,
    );
  }
  if ('status' in value && value.status === false) {
    const why = hasMessage(value) ? value.msg : 'it reports a failure';
    throw new PurlFailure('transfer', `${peer.url.host} did not store it: ${why}`);
  }
  if (sending === undefined) return;
  const there = 'sha256' in value ? String(value.sha256) : 'none';
  if (there !== sending.sha256()) {
    throw new PurlFailure(
      'checksum',
      `${peer.url.host} stored something else: SHA-256 ${there} instead of ${sending.sha256()}`,
    );
  }
}

function localReport(plan: SendPlan, zipName: string, bytes: number) {
  const packed = plan.encoding === 'base64' ? Math.floor(bytes * 0.75) : bytes;
  const zip = {
    msg: 'zip operation successful',
    fileProcessed: zipName,
    status: true,
    path: plan.path,
    zipmode: 'w',
    filesize: sizeText(packed),
  };
  const encoding = { msg: 'Encode successful', fileProcessed: `${zipName}.b64`, status: true };
  return {
    ...(plan.archive ? { zip } : {}),
    ...(plan.encoding === 'base64' ? { encoding } : {}),
  };
}
