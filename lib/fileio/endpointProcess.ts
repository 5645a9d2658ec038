import type { Audit } from '../access/auditLog.ts';
import { type Door, TokenStore } from '../access/tokenStore.ts';
import { messageOf } from '../errors.ts';
import { TlsFiles } from '../host/tlsFiles.ts';
import { loggerOver } from '../log.ts';
import { outliveReaders } from '../outliveReaders.ts';
import { startFileServer } from '../pfioh/fileServer.ts';
import type { EndpointRequest, FromEndpoints } from './endpointMessages.ts';

/** The process of the file transfer endpoints beside pman: opens what pman asks for, and ends with it. */

function tell(message: FromEndpoints): void {
  process.send?.(message);
}

/** Its lines are written by pman. */
const log = loggerOver({
  debug: (text, fields) => tell({ kind: 'log', level: 'debug', text, fields }),
  info: (text, fields) => tell({ kind: 'log', level: 'info', text, fields }),
  warn: (text, fields) => tell({ kind: 'log', level: 'warn', text, fields }),
  error: (text, fields) => tell({ kind: 'log', level: 'error', text, fields }),
});

/** One process alone may write the file, which it puts aside when it is large. */
const audit: Audit = {
  write: (deed) => tell({ kind: 'deed', deed }),
  refused: (deed) => tell({ kind: 'refusal', deed }),
  close: () => undefined,
};

/** What the endpoints let in; of each file of tokens one is kept. */
const doors = new Map<string, Door>();

function doorOf(tokenPath: string | undefined): Door | undefined {
  if (tokenPath === undefined) return undefined;
  const door = doors.get(tokenPath) ?? TokenStore.open(tokenPath, log);
  doors.set(tokenPath, door);
  return door;
}

/** How many endpoints wait or serve at once: each is a port, and some files. */
const MOST_ENDPOINTS = 100;
let endpoints = 0;

async function open({ id, ip, tokenPath, forever, store, front }: EndpointRequest): Promise<void> {
  if (endpoints >= MOST_ENDPOINTS) {
    tell({ kind: 'failed', id, why: `${MOST_ENDPOINTS} are open, and wait for their transfers` });
    return;
  }
  endpoints += 1;
  const how = { forever, oneTransfer: true, storeBase: store, createDirs: true };
  let tls: TlsFiles | undefined;
  try {
    const door = doorOf(tokenPath);
    tls = front.tls && new TlsFiles(front.tls, log);
    const server = await startFileServer({
      ...{ ip, port: 0, ...how, ...front },
      door,
      tls,
      log,
      audit,
    });
    void server.done.then(() => {
      endpoints -= 1;
      tell({ kind: 'ended', id });
    });
    tell({ kind: 'opened', id, ip: server.address, port: server.port });
  } catch (error) {
    tls?.close();
    endpoints -= 1;
    tell({ kind: 'failed', id, why: messageOf(error) });
  }
}

outliveReaders();
process.on('message', (request: EndpointRequest) => void open(request));
process.on('disconnect', () => process.exit(0));
// Whoever ends pman by a terminal's keys sends the signal here too; pman's own end is what counts.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
