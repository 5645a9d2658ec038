import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { answerHead } from '../answerHead.ts';
import { PmanError } from '../errors.ts';
import type { TlsPlaces } from '../host/tlsFiles.ts';

export interface SecureQuestion {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method: string;
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * Asks a server of this host that speaks TLS. It may have any name: it is known by the certificate that it was started
 * with, which it has to show before anything is sent. That certificate is shown to it as well; a server whose
 * authorities do not know it says so by closing.
 * @throws PmanError unavailable when somebody else answers; the error of a connection that breaks
 */
export async function askOverTls(question: SecureQuestion, places: TlsPlaces): Promise<string> {
  const { host, port, path, method, body, headers, signal } = question;
  const files = { cert: readFileSync(places.cert), key: readFileSync(places.key) };
  const socket = connect({ host, port, ...files, rejectUnauthorized: false });
  const leave = () => socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', leave, { once: true });
  try {
    await once(socket, 'secureConnect');
    requireOwn(socket, new X509Certificate(files.cert));
    const sent = request({ createConnection: () => socket, path, method, headers, host, port });
    const answer = answerHead(sent);
    sent.end(body);
    return await text(await answer);
  } finally {
    signal.removeEventListener('abort', leave);
    socket.destroy();
  }
}

function requireOwn(socket: TLSSocket, own: X509Certificate): void {
  if (socket.getPeerX509Certificate()?.fingerprint256 === own.fingerprint256) return;
  throw new PmanError('unavailable', 'what answers does not show the certificate of --tlsCert', {
    hint: 'after a change of that file the server takes a second or two to use it',
  });
}
