import { Writable } from 'node:stream';
import { createLogger, transports } from 'winston';
import { type Door, TokenStore } from '../access/tokenStore.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { outliveReaders } from '../outliveReaders.ts';
import { startFileServer } from '../pfioh/fileServer.ts';
import type { EndpointRequest, FromEndpoints } from './endpointMessages.ts';

/** The process of the file transfer endpoints beside pman: opens what pman asks for, and ends with it. */

function tell(message: FromEndpoints): void {
  process.send?.(message);
}

/** A logger whose lines are written by pman. */
function tellingLogger(): Logger {
  const stream = new Writable({
    objectMode: true,
    write({ level, message, ...fields }: Record<string, unknown>, _encoding, done) {
      tell({ kind: 'log', level: String(level), text: String(message), fields });
      done();
    },
  });
  return createLogger({ level: 'debug', transports: [new transports.Stream({ stream })] });
}

const log = tellingLogger();

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

async function open({ id, ip, tokenPath, forever, store }: EndpointRequest): Promise<void> {
  if (endpoints >= MOST_ENDPOINTS) {
    tell({ kind: 'failed', id, why: `${MOST_ENDPOINTS} are open, and wait for their transfers` });
    return;
  }
  endpoints += 1;
  const how = { forever, oneTransfer: true, storeBase: store, createDirs: true };
  try {
    const server = await startFileServer({ ip, port: 0, ...how, door: doorOf(tokenPath), log });
    void server.done.then(() => {
      endpoints -= 1;
    });
    tell({ kind: 'opened', id, ip: server.address, port: server.port });
  } catch (error) {
    endpoints -= 1;
    tell({ kind: 'failed', id, why: messageOf(error) });
  }
}

outliveReaders();
process.on('message', (request: EndpointRequest) => void open(request));
process.on('disconnect', () => process.exit(0));
// Whoever ends pman by a terminal's keys sends the signal here too; pman's own end is what counts.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
