import { readableStamp } from '../host/stamps.ts';
import { parseJsonOrUndefined } from '../transfer/jsonText.ts';
import { sizeText } from '../transfer/sizeText.ts';
import { answerValue, stateOf } from './answerValue.ts';
import { PurlFailure } from './failure.ts';
import { readText, send } from './http/httpClient.ts';
import { forPeer, type Peer, transferUrl } from './peer.ts';
import { sendPlainForm } from './plainForm.ts';
import type { Remote } from './remoteCheck.ts';
import { report } from './talk.ts';
import type { TransferMessage } from './transferMessage.ts';
import type { Done, TransferOptions } from './transferOptions.ts';

/** Has the server copy, on a file system that both sides share. @throws PurlFailure when it does not */
export async function askCopy(
  message: TransferMessage,
  { peer }: Remote,
  { raw }: TransferOptions,
): Promise<Done> {
  const isPull = message.verb === 'pull';
  const text = await (isPull ? askForPull(message, peer) : askForPush(message, peer));
  const response = parseJsonOrUndefined(text);
  const { status, msg: why } = stateOf(response);
  if (!status) throw new PurlFailure('transfer', `${peer.url.host} did not copy: ${why || text}`);
  const msg = 'Copy on remote server success!';
  const stamp = { timestamp: readableStamp(Date.now()), size: sizeText(text.length) };
  const remoteServer = isPull
    ? { status, msg: 'PULL successful', response, ...stamp }
    : answerValue(report(text, raw));
  return { status, msg, report: { copyOp: { remoteServer, copy: { status, msg } } } };
}

async function askForPull(message: TransferMessage, peer: Peer): Promise<string> {
  const url = transferUrl(peer.url, message, { ...message.transport, checkRemote: false });
  const how = { ...forPeer(peer), oldPeer: true };
  return readText(await send({ ...how, method: 'GET', url }, peer.client));
}

async function askForPush(
  { action, meta, transport }: TransferMessage,
  peer: Peer,
): Promise<string> {
  const asked = { ...meta, transport: { ...transport, checkRemote: false } };
  return (await sendPlainForm(peer, { action, meta: asked })).text;
}
