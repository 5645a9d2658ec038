import { dumps } from '../wire/pythonJson.ts';
import { readText, send } from './http/httpClient.ts';
import { makeForm } from './http/multipart.ts';
import { forPeer, type Peer, type Way } from './peer.ts';
import type { Report } from './transferOptions.ts';

/** Sends a message as a form without content. @throws PurlFailure when no answer comes */
export async function sendPlainForm(
  way: Way | Peer,
  message: Report,
): Promise<{ readonly status: number; readonly text: string }> {
  const form = makeForm({ before: [['d_msg', dumps(message)]], filename: '' });
  const how = 'kind' in way ? forPeer(way) : { headers: [], signal: way.signal };
  const headers: [string, string][] = [
    ...how.headers,
    ['Content-Type', form.contentType],
    ['Content-Length', String(form.overhead)],
  ];
  const sent = { ...how, method: 'POST', url: way.url, headers, body: form.send, oldPeer: true };
  const answer = await send(sent, way.client);
  return { status: answer.statusCode ?? 0, text: await readText(answer) };
}
