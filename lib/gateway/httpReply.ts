import { STATUS_CODES } from 'node:http';
import type { Readable } from 'node:stream';
import { YoungGarbage } from '../host/youngGarbage.ts';
import { type GatewayReply, isStream } from './types.ts';

/** The text of lists of header lines that never change. */
const kept = new WeakMap<GatewayReply['headers'], string>();

/**
 * Has the text of a list of header lines kept, which never changes from now on and has no Content-Length. A list with anything
 * outside ASCII is left as it is.
 */
export function keepHeaders(headers: GatewayReply['headers']): GatewayReply['headers'] {
  const flat = headers.flat();
  if (flat.every((text) => PLAIN.test(text))) kept.set(headers, linesText(flat));
  return headers;
}

/** The head of an answer with that text, whose header lines are kept; undefined for another one. */
export function keptHead(
  { status, headers, bytes }: GatewayReply,
  body: string,
): string | undefined {
  const lines = kept.get(headers);
  if (lines === undefined) return undefined;
  const length = bytes ?? Buffer.byteLength(body);
  return `${statusLine(status)}Date: ${dateText()}\r\nContent-Length: ${length}\r\n${lines}\r\n`;
}

/** The header lines of a reply as node's flat list, with the length of a Buffer body put first when it is missing. */
export function flatHeaders({ status, headers, body }: GatewayReply, close: boolean): string[] {
  const flat = ['Date', dateText()];
  if (!isStream(body) && !isBodyless(status) && declaredLength(headers) === undefined) {
    flat.push('Content-Length', String(Buffer.byteLength(body)));
  }
  for (const [name, value] of headers) {
    if (close && name.toLowerCase() === 'connection') continue;
    flat.push(name, value);
  }
  if (close) flat.push('Connection', 'close');
  return flat;
}

let dateSecond = 0;
let date = '';

/** Now, as every answer tells it (RFC 9110, 6.6.1): made once a second. */
function dateText(): string {
  const now = Date.now();
  const second = Math.floor(now / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    date = new Date(now).toUTCString();
  }
  return date;
}

/** Whether an answer of this status never has a body (RFC 9112, 6.3). */
export function isBodyless(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

/** The Content-Length that a reply names. */
export function declaredLength(headers: GatewayReply['headers']): number | undefined {
  for (const [name, value] of headers) {
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(value);
  }
  return undefined;
}

/** The bytes of a stream, as many as its head says; throws when there are more or fewer. */
export async function* measured(
  body: Readable,
  expectedBytes: number | undefined,
): AsyncGenerator<Buffer | string> {
  const garbage = new YoungGarbage();
  let sentBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.byteLength(chunk);
    sentBytes += bytes;
    garbage.passed(bytes);
    if (expectedBytes !== undefined && sentBytes > expectedBytes) break;
    yield chunk;
  }
  if (expectedBytes !== undefined && sentBytes !== expectedBytes) {
    throw new Error(`the answer's body is not of the ${expectedBytes} bytes its head promised`);
  }
}

/** A whole answer as bytes, for a connection whose request node could not make sense of. It always closes. */
export function replyBytes(reply: GatewayReply): Buffer {
  const head = headText(reply.status, flatHeaders(reply, true));
  const body = isStream(reply.body) ? Buffer.alloc(0) : Buffer.from(reply.body);
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** The head of an answer, up to the empty line. @throws TypeError for a line that would break it */
export function headText(status: number, flat: readonly string[]): string {
  return `${statusLine(status)}${linesText(flat)}\r\n`;
}

function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n`;
}

function linesText(flat: readonly string[]): string {
  let text = '';
  for (let i = 0; i < flat.length; i += 2) {
    const line = `${flat[i]}: ${flat[i + 1]}`;
    if (NO_LINE.test(line)) throw new TypeError(`the header ${flat[i]} holds what no line may`);
    text += `${line}\r\n`;
  }
  return text;
}

const PLAIN = /^[\x20-\x7e]*$/;
const NO_LINE = /[^\t\x20-\x7e\x80-\xff]/;
