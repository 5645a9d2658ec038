import type { Shared } from './sharedEvents.ts';

/** The address of the script that holds the stream, which the build has put there. */
declare const STREAM_SCRIPT: string;

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: () => string }): Maker;
}
interface Maker {
  createScriptURL(url: string): string;
}

/**
 * What begins the script that holds the stream for all windows, or finds it; undefined where a browser has no such scripts.
 * The policy of the page lets this address alone become a script, whatever is asked for.
 */
export function streamScript(): (() => Shared) | undefined {
  if (!('SharedWorker' in globalThis)) return undefined;
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const rules = { createScriptURL: () => STREAM_SCRIPT };
  const url = (trustedTypes?.createPolicy('stream', rules) ?? rules).createScriptURL('');
  return () => new SharedWorker(url);
}
