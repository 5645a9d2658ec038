import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { BadRequestError, messageOf, systemErrorCode } from '../errors.ts';
import { dumps } from '../wire/pythonJson.ts';
import { SAFETY_HEADERS } from '../wire/reply.ts';

/** The statuses of what Node's parser refuses; anything else is a bad request. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

/**
 * Has what Node refuses by itself answered as everything else is: as JSON, with the headers that every answer has. Gives
 * back what each request is told to that is answered.
 */
export function answerEarlyRefusals(server: Server) {
  /** The answers that are under way on each connection. */
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.on('clientError', (error: Error, socket: Duplex) => {
    const status = STATUSES.get(systemErrorCode(error) ?? '') ?? 400;
    // In the middle of another answer there is nothing to be said.
    if (answers.get(socket)?.headersSent === true) socket.destroy();
    else refuse(socket, status, messageOf(error));
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    refuse(response.socket ?? request.socket, 417, 'the expectation cannot be met');
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    refuse(socket, 405, 'CONNECT is not supported: this is no proxy');
  });
  return ({ socket }: IncomingMessage, response: ServerResponse) => {
    answers.set(socket, response);
    response.once('close', () => answers.delete(socket));
  };
}

function refuse(socket: Duplex, status: number, message: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = dumps({ status: false, msg: message, error: { code: 'bad_request', message } });
  const headers = [
    ...SAFETY_HEADERS,
    ['Content-Type', 'application/json'],
    ['Content-Length', String(Buffer.byteLength(body))],
    ['Connection', 'close'],
  ].map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...headers, '', ''];
  socket.end(`${head.join('\r\n')}${body}`, () => socket.destroy());
}

/**
 * A request has one Host (RFC 9112, 3.2). Node would refuse one without by itself, without the headers that every answer has,
 * and takes the first of several.
 * @throws BadRequestError
 */
export function requireHost({ headersDistinct, httpVersion }: IncomingMessage): void {
  const { length } = headersDistinct.host ?? [];
  if (length > 1) throw new BadRequestError('the request has more than one header Host');
  if (length === 0 && httpVersion === '1.1') {
    throw new BadRequestError('the request has no header Host');
  }
}
