import type { Streams } from './streams.ts';

const ESCAPE = '\u001b';

/**
 * Each key as it is pressed, without its echo. However the process ends, the terminal then reads lines again.
 * @param onKey is told each key: a character, or the sequence of a key without one
 * @returns stops it; may be called again
 */
export function readKeys(input: Streams['input'], onKey: (key: string) => void): () => void {
  let isOpen = true;
  const onData = (bytes: Buffer) => {
    for (const key of keysIn(bytes.toString())) if (isOpen) onKey(key);
  };
  const stop = () => {
    if (!isOpen) return;
    isOpen = false;
    process.off('exit', stop);
    input.off('data', onData);
    input.setRawMode?.(false);
    input.pause();
  };
  process.on('exit', stop);
  input.setRawMode?.(true);
  input.on('data', onData);
  input.resume();
  return stop;
}

/** The keys of what came in at once: escape sequences, and characters. */
export function keysIn(text: string): readonly string[] {
  const keys: string[] = [];
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const sequence = rest.startsWith(ESCAPE)
      ? /^[[O][0-9;]*[A-Za-z~]/.exec(rest.slice(1))?.[0]
      : '';
    const key = sequence ? ESCAPE + sequence : String.fromCodePoint(rest.codePointAt(0) ?? 0);
    keys.push(key);
    at += key.length;
  }
  return keys;
}
