/**
 * What a terminal obeys in place of showing it: control characters of ASCII and of the row behind it, a carriage
 * return that no line end follows, other ends of lines, and those that turn the direction of what is written.
 */
const OBEYED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|\r(?!\n)/g;

/** A text of somebody else as a terminal shows it: what the terminal would obey is written as JSON writes it. */
export function terminalText(text: string): string {
  return text.replace(
    OBEYED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
