import { tmpdir } from 'node:os';
import { pipeline } from 'node:stream/promises';
import type { Check } from '../../transfer/contentCheck.ts';
import { keepNameless } from '../../transfer/namelessFile.ts';
import { startPack } from '../../transfer/pack/startPack.ts';
import { type Sending, type SendPlan, startSending } from '../../transfer/send.ts';
import { Tap } from '../../transfer/tap.ts';
import { readText, send } from '../http/httpClient.ts';
import { type Form, makeForm } from '../http/multipart.ts';
import { checkHeaders, forPeer, newCheck, type Peer } from '../peer.ts';
import type { Progress } from '../progressBar.ts';
import type { FormFields } from './pushFields.ts';
import type { PushArchive } from './pushPlan.ts';

export interface PostOptions {
  readonly before: FormFields;
  readonly filename: string;
  readonly isFileMode: boolean;
  /** The first byte that the server has not got yet. */
  readonly offset: number;
  readonly archive: PushArchive;
  readonly progress: Progress;
}

/** A push that was sent. */
export interface PostedPush {
  readonly bytes: number;
  /** Of what was sent, where the server says what it has stored. */
  readonly sum: { readonly name: Check['name']; readonly digest: string } | undefined;
  readonly answer: PushAnswer;
}

export interface PushAnswer {
  readonly status: number;
  readonly statusMessage: string | undefined;
  readonly text: string;
}

/**
 * Sends a push. To our own pfioh it is sent while it is made, with its checksum behind it; a Python pfioh wants to
 * know the length first, so the content is kept in a nameless file meanwhile.
 * @throws PurlFailure, PmanError
 */
export function postPush(plan: SendPlan, peer: Peer, options: PostOptions): Promise<PostedPush> {
  return peer.kind === 'own'
    ? postWhileMade(plan, peer, options)
    : postWithLength(plan, peer, options);
}

async function postWhileMade(
  plan: SendPlan,
  peer: Peer,
  { before, filename, isFileMode, offset, archive, progress }: PostOptions,
): Promise<PostedPush> {
  const check = newCheck(peer);
  let sending: Omit<Sending, 'stream'> | undefined;
  const start = archive === 'pack' ? startPack : startSending;
  const form = makeForm({
    before,
    filename,
    content: (out) => {
      sending = start(plan, offset, progress.add.bind(progress), check);
      return sending.sendTo(out);
    },
    after: () => [check.name, sending?.digest() ?? ''],
  });
  const answer = await post(peer, form, { isFileMode, check });
  const sum = sending && { name: check.name, digest: sending.digest() };
  return { answer, bytes: sending?.bytes ?? 0, sum };
}

async function postWithLength(
  plan: SendPlan,
  peer: Peer,
  { before, filename, isFileMode, progress }: PostOptions,
): Promise<PostedPush> {
  const kept = await keepNameless(startSending(plan).stream(), tmpdir());
  progress.start(kept.bytes);
  try {
    const onBytes = progress.add.bind(progress);
    const form = makeForm({
      before,
      filename,
      content: (out) => pipeline(kept.read(), new Tap({ onBytes }), out, { end: false }),
    });
    const answer = await post(peer, form, { isFileMode, length: form.overhead + kept.bytes });
    return { answer, bytes: kept.bytes, sum: undefined };
  } finally {
    await kept.close();
  }
}

interface PostHow {
  readonly isFileMode: boolean;
  readonly length?: number;
  readonly check?: Check;
}

async function post(
  peer: Peer,
  form: Form,
  { isFileMode, length, check }: PostHow,
): Promise<PushAnswer> {
  const how = forPeer(peer);
  const headers: [string, string][] = [...how.headers, ['Content-Type', form.contentType]];
  if (check !== undefined) headers.push(...checkHeaders(check));
  if (isFileMode) headers.push(['Mode', 'file']);
  if (length !== undefined) headers.push(['Content-Length', String(length)]);
  const request = { ...how, method: 'POST', url: peer.url, headers, body: form.send };
  const answer = await send(request, peer.client);
  const text = await readText(answer);
  return { status: answer.statusCode ?? 0, statusMessage: answer.statusMessage, text };
}
