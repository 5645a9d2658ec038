import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { BadRequestError, messageOf, PmanError, systemErrorCode } from '../errors.ts';
import { codingFault } from '../transferCoding.ts';
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
 * Refuses a request of which nobody can say what it means: one that has no Host or several (RFC 9112, 3.2), of which Node would
 * take the first, and one whose body nobody can read here. Nothing that follows it on its connection is looked at.
 * @throws PmanError bad_request, not_implemented
 */
export function requireClearHead(
  { headersDistinct, httpVersion }: IncomingMessage,
  response: ServerResponse,
): void {
  const hosts = headersDistinct.host?.length ?? 0;
  const coding = codingFault(headersDistinct['transfer-encoding'] ?? []);
  const isClear = coding === undefined && (hosts === 1 || (hosts === 0 && httpVersion === '1.0'));
  if (isClear) return;
  response.setHeader('Connection', 'close');
  if (coding !== undefined) throw new PmanError('not_implemented', coding);
  const said = hosts > 1 ? 'has more than one header Host' : 'has no header Host';
  throw new BadRequestError(`the request ${said}`);
}
