import { terminalText } from '../terminalText.ts';

/** A text of somebody else as one line that a terminal only shows: line ends and tabs are written as `\n` and `\t`. */
export function oneLine(text: string): string {
  return terminalText(fieldOf(text));
}

/** A text as a field between tabs: what would end the field or the line is written as `\t`, `\n` and `\r`. */
export function fieldOf(text: string): string {
  return text.replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}
