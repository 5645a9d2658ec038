import { HeaderLines, headerValues } from './headerLines.ts';
import type { HttpHead } from './httpRequest.ts';

/** A request that came in one piece. */
export interface WholeRequest {
  readonly head: HttpHead;
  readonly body: Buffer;
}

const REQUEST_LINE = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
/** RFC 9112, 5, without what is optional there: no blanks around a value but the ones before it, no lines that go on. */
const HEADER_LINE =
  /^([!#$%&'*+\-.^_`|~\dA-Za-z]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/;
/** What changes how a message is framed, or what becomes of its connection. */
const NOT_PLAIN: ReadonlySet<string> = new Set([
  ...['transfer-encoding', 'upgrade', 'expect', 'trailer', 'te', 'http2-settings'],
  ...['proxy-connection', 'keep-alive'],
]);
const SECRETS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);
const HEAD_END = Buffer.from('\r\n\r\n');

/** The lines of a head behind its first one, and the length of body that they announce. */
interface Lines {
  readonly headers: HeaderLines;
  readonly bodyBytes: number;
}

/** Lines that were read before: a client sends the same ones with each of its requests. */
const known = new Map<string, Lines>();
const MAX_KNOWN = 200;
const MAX_KNOWN_LENGTH = 1000;

/**
 * Reads bytes that are one whole request of the plain kind that programs send: HTTP/1.1, a path, header lines in which every
 * reader sees the same, a body of a known length that is all there, nothing behind it. undefined for anything else, good or bad:
 * node's parser reads that. What this takes node's parser would take, and see the same in it.
 * @param maxHeadBytes a longer head is none of this kind
 */
export function readWhole(bytes: Buffer, maxHeadBytes: number): WholeRequest | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0 || end > maxHeadBytes) return undefined;
  const text = bytes.toString('latin1', 0, end);
  const lineEnd = text.indexOf('\r\n');
  const line = REQUEST_LINE.exec(lineEnd < 0 ? text : text.slice(0, lineEnd));
  if (line === null || lineEnd < 0) return undefined;
  const lines = linesIn(text.slice(lineEnd + 2));
  const bodyStart = end + HEAD_END.length;
  if (lines === undefined || bytes.length !== bodyStart + lines.bodyBytes) return undefined;
  const [, method = '', target = ''] = line;
  return {
    head: { method, target, httpVersion: '1.1', headers: lines.headers },
    body: bytes.subarray(bodyStart),
  };
}

function linesIn(text: string): Lines | undefined {
  const before = known.get(text);
  if (before !== undefined) return before;
  const flat: string[] = [];
  let hasSecret = false;
  for (const line of text.split('\r\n')) {
    const [, name, value] = HEADER_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const small = name.toLowerCase();
    if (NOT_PLAIN.has(small)) return undefined;
    if (small === 'connection' && value.toLowerCase() !== 'keep-alive') return undefined;
    hasSecret ||= SECRETS.has(small);
    flat.push(name, value);
  }
  const [length = '0', ...others] = headerValues(flat, 'content-length');
  if (headerValues(flat, 'host').length !== 1 || others.length > 0) return undefined;
  if (!/^\d{1,7}$/.test(length)) return undefined;
  // No token stays in memory for longer than its request.
  const isKept = !hasSecret && text.length <= MAX_KNOWN_LENGTH;
  const lines = { headers: new HeaderLines(flat, isKept), bodyBytes: Number(length) };
  if (isKept) keep(text, lines);
  return lines;
}

function keep(text: string, lines: Lines): void {
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(text, lines);
}
