import { broken, type OpenAnswer } from './connection.ts';

interface BytesOptions {
  readonly signal?: AbortSignal | undefined;
  readonly silenceMs: number;
  readonly onBytes?: (() => void) | undefined;
}

/**
 * The bytes of an answer as they come. Breaks the connection off when nobody wants more.
 * @param silenceMs when nothing has come for so long, it ends: perhaps nobody is there any more, and no one has said so
 * @param onBytes told whenever some have come
 * @throws PmanClientError unreachable when it breaks off; the signal's reason when that is given
 */
export async function* bytesOf(
  { response, close }: OpenAnswer,
  { signal, silenceMs, onBytes }: BytesOptions,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let isSilent = false;
  const giveUp = () => {
    isSilent = true;
    close();
  };
  try {
    for (;;) {
      const timer = setTimeout(giveUp, silenceMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      onBytes?.();
      if (value !== undefined) yield value;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (isSilent) return;
    throw broken(cause);
  } finally {
    close();
  }
}
