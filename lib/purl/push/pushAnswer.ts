import { CHECK_NAMES } from '../../transfer/contentCheck.ts';
import { parseJsonOrUndefined } from '../../transfer/jsonText.ts';
import { PurlFailure } from '../failure.ts';
import type { PostedPush } from './postPush.ts';

/**
 * Checks that the server says it has what was sent.
 * @throws PurlFailure `transfer` when it refuses or says nothing, `checksum` when it has something else
 */
export function checkPushAnswer({ answer, sum }: PostedPush, host: string): void {
  const { status, statusMessage, text } = answer;
  const value = parseJsonOrUndefined(text);
  if (status >= 400) {
    const why = hasMessage(value) ? value.msg : `${status} ${statusMessage}`;
    const kind = status === 409 ? 'changed' : 'transfer';
    throw new PurlFailure(kind, `${host} refused the push: ${why}`);
  }
  if (typeof value !== 'object' || value === null) {
    throw new PurlFailure(
      'transfer',
      `${host} did not report the push: ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  if ('status' in value && value.status === false) {
    const why = hasMessage(value) ? value.msg : 'it reports a failure';
    throw new PurlFailure('transfer', `${host} did not store it: ${why}`);
  }
  if (sum === undefined) return;
  const { name, digest } = sum;
  const there = String(new Map(Object.entries(value)).get(name) ?? 'none');
  if (there === digest) return;
  throw new PurlFailure(
    'checksum',
    `${host} stored something else: ${CHECK_NAMES[name]} ${there} instead of ${digest}`,
  );
}

function hasMessage(value: unknown): value is { readonly msg: string } {
  return (
    typeof value === 'object' && value !== null && 'msg' in value && typeof value.msg === 'string'
  );
}
