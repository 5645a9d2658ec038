import type { Streams } from './streams.ts';

/** The whole terminal, until it is closed. */
export interface FullScreen {
  /** Draws it; what is the same as before stays. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back as it was. May be called again. */
  close(): void;
}

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[H\u001b[2J';
const LEAVE = '\u001b[?25h\u001b[?1049l';

/**
 * Takes the whole terminal: the alternate screen, without a cursor, and each key as it is pressed. The mouse stays the
 * terminal's own: people copy what they see. However the process ends, the terminal is as it was.
 * @param onKey is told each key: a character, or the sequence of a key without one
 */
export function openFullScreen(
  { out, input }: Pick<Streams, 'out' | 'input'>,
  onKey: (key: string) => void,
): FullScreen {
  let isOpen = true;
  const onData = (bytes: Buffer) => {
    for (const key of keysIn(bytes.toString())) if (isOpen) onKey(key);
  };
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    process.off('exit', close);
    input.off('data', onData);
    input.setRawMode?.(false);
    input.pause();
    out.write(LEAVE);
  };
  process.on('exit', close);
  input.setRawMode?.(true);
  input.on('data', onData);
  input.resume();
  out.write(ENTER);
  return {
    draw(lines) {
      if (!isOpen) return;
      const text = lines.map((line, row) => `\u001b[${row + 1};1H${line}\u001b[K`).join('');
      out.write(`${text}\u001b[J`);
    },
    close,
  };
}

const ESCAPE = '\u001b';

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
