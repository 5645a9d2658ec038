import { readKeys } from './readKeys.ts';
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
 * @param onKey as that of `readKeys`
 */
export function openFullScreen(
  { out, input }: Pick<Streams, 'out' | 'input'>,
  onKey: (key: string) => void,
): FullScreen {
  let isOpen = true;
  const stopKeys = readKeys(input, onKey);
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    process.off('exit', close);
    stopKeys();
    out.write(LEAVE);
  };
  process.on('exit', close);
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
