import { parseJsonOrUndefined } from '../transfer/jsonText.ts';

/** The value of an answer that is JSON, else its text. */
export function answerValue(text: string): unknown {
  return parseJsonOrUndefined(text) ?? text;
}

/** What an answer says of success; an object that does not say so means it. */
export function stateOf(value: unknown): { readonly status: boolean; readonly msg: string } {
  if (typeof value !== 'object' || value === null) return { status: false, msg: '' };
  const status = !('status' in value) || value.status === true;
  return { status, msg: 'msg' in value ? String(value.msg) : '' };
}
