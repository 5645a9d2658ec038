import { dumps } from '../wire/pythonJson.ts';
import { readText, send } from './http/httpClient.ts';
import { makeForm } from './http/multipart.ts';
import type { Way } from './peer.ts';
import type { Report } from './transferOptions.ts';

/** Sends a message as a form without content. Resolves to the text of the answer. @throws PurlFailure */
export async function sendPlainForm(
  { url, client, signal }: Way,
  message: Report,
): Promise<string> {
  const form = makeForm({ before: [['d_msg', dumps(message)]], filename: '' });
  const headers: [string, string][] = [
    ['Content-Type', form.contentType],
    ['Content-Length', String(form.overhead)],
  ];
  const request = { method: 'POST', url, headers, body: form.send, oldPeer: true, signal };
  return readText(await send(request, client));
}
