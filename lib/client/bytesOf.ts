import { broken, type OpenAnswer } from './connection.ts';

/**
 * The bytes of an answer as they come. Breaks the connection off when nobody wants more.
 * @param silenceMs how long nothing may come; undefined: for ever
 * @throws PmanClientError unreachable when it breaks off; the signal's reason when that is given
 */
export async function* bytesOf(
  { response, close }: OpenAnswer,
  { signal, silenceMs }: { readonly signal?: AbortSignal | undefined; readonly silenceMs?: number },
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const timer = silenceMs === undefined ? undefined : setTimeout(close, silenceMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw broken(cause);
  } finally {
    close();
  }
}
