import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { messageOf } from '../errors.ts';
import { reformatJson } from '../transfer/jsonText.ts';
import { formatPythonLiteral } from '../transfer/pythonLiteral.ts';
import { asciiJson } from '../wire/pythonJson.ts';
import { PurlFailure } from './failure.ts';

/** A JSON object that is sent to a server, as text and as value. */
export interface Message {
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/**
 * The text that a flag means: itself, the content of a file (`@file`) or standard input (`-`).
 * @throws PurlFailure `localRead`
 */
export async function resolveText(flag: string, stdin: Readable): Promise<string> {
  if (flag === '-') return readAll(stdin);
  if (!flag.startsWith('@')) return flag;
  try {
    return await readFile(flag.slice(1), 'utf8');
  } catch (cause) {
    throw new PurlFailure('localRead', `cannot read ${flag.slice(1)}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** A message from its text, or what is wrong with it. */
export function parseMessage(text: string): Message | { readonly fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: `--msg is not JSON: ${messageOf(error)}` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { fault: '--msg is not a JSON object like {"action": …, "meta": …}' };
  }
  return { text, value: { ...value } };
}

/** What purl 1.6.2 sends in place of a message that it cannot read. */
export const EMPTY_MESSAGE: Message = { text: '{}', value: {} };

/** What the server is asked to do, or an empty text. */
export function actionOf({ value }: Message): string {
  return typeof value.action === 'string' ? value.action : '';
}

/** The body of a POST: the message, wrapped as `--jsonwrapper` says, as Python writes JSON. */
export function messageBody({ text }: Message, wrapper: string): string {
  return asciiJson(reformatJson(wrapper === '' ? text : `{${JSON.stringify(wrapper)}: ${text}}`));
}

/** The query of a GET: every top-level member, form-urlencoded, objects as Python literals. */
export function messageQuery({ value }: Message): string {
  const query = new URLSearchParams();
  for (const [name, member] of Object.entries(value)) {
    query.set(name, typeof member === 'string' ? member : formatPythonLiteral(member));
  }
  return query.toString();
}
