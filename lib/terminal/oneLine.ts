import { terminalText } from '../terminalText.ts';

/**
 * A text of somebody else as one line and one field, which a terminal only shows: line ends and tabs are written as `\n`,
 * `\r` and `\t`.
 */
export function oneLine(text: string): string {
  return terminalText(text.replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r'));
}
